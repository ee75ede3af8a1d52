import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError } from './console.mjs';

/** What is wrong when a check of /ready fails on Cloudflare. */
const MEND = /** @type {Record<string, string>} */ ({
    environment: 'A secret or a binding is missing or does not fit.',
    database: 'The database of wrangler.toml cannot be asked: is its id right (npx wrangler d1 list)?',
    storage: 'The bucket of wrangler.toml cannot be reached (npx wrangler r2 bucket list).',
    durableObjects: 'The Durable Objects do not answer: npx wrangler tail shows why.',
});

/**
 * Waits until a server answers /health and /ready as it should; a new address takes a while to be known everywhere.
 *
 * @param {string} url without a slash at the end
 * @param {{ patienceMs?: number, pauseMs?: number }} [options]
 * @throws {CommandError} with the server's last words
 */
export async function checkServer(url, { patienceMs = 90_000, pauseMs = 2000 } = {}) {
    const giveUpAt = Date.now() + patienceMs;
    let trouble = await findTrouble(url);
    while (trouble && Date.now() < giveUpAt) {
        await sleep(pauseMs);
        trouble = await findTrouble(url);
    }
    if (trouble) throw trouble;
}

/** @param {string} url */
async function findTrouble(url) {
    const health = await ask(`${url}/health`);
    if (health.body.status !== 'healthy') {
        return new CommandError(`${url}/health does not answer as a Happy server does: ${health.said}`, [
            'A new workers.dev address may take some minutes. Try it in a browser.',
            'If it stays away: npx wrangler tail shows what the Worker says.',
        ]);
    }
    const ready = await ask(`${url}/ready`);
    if (ready.body.ready === true) return null;
    const failed = Object.entries(ready.body.checks ?? {}).filter(([, passed]) => passed !== true);
    const hints = failed.map(([name]) => `${name}: ${MEND[name] ?? 'this check failed.'}`);
    // The server itself names every secret and binding that is missing.
    if (ready.body.checks?.environment === false) hints.push(`The server says: ${(await ask(url)).said}`);
    return new CommandError(`${url} runs, but ${url}/ready says that it is not ready.`, hints);
}

/**
 * @param {string} url
 * @returns {Promise<{ said: string, body: { status?: unknown, ready?: unknown, checks?: Record<string, unknown> } }>}
 */
async function ask(url) {
    try {
        const response = await fetch(url, { signal: AbortSignal.timeout(10_000), redirect: 'manual' });
        const text = await response.text();
        const isJson = response.headers.get('content-type')?.includes('json');
        return { said: `${response.status} ${text.slice(0, 500)}`, body: (isJson && parse(text)) || {} };
    } catch (error) {
        const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
        return { said: cause instanceof Error ? cause.message : String(cause), body: {} };
    }
}

/** @param {string} text */
function parse(text) {
    try {
        return JSON.parse(text);
    } catch {
        return null;
    }
}
