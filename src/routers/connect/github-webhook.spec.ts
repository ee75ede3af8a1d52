import { env } from 'cloudflare:workers';
import { sign } from '@octokit/webhooks-methods';
import { describe, expect, it } from 'vitest';
import { encodeHex } from '@/crypto/hex';
import { createAccount } from '@test/helpers/account';
import { holdClock } from '@test/helpers/clock';
import { connectGithub, githubServices } from '@test/helpers/github';
import { keepErrorLog } from '@test/helpers/log';
import type { TestServer } from '@test/helpers/server';
import { seqOf, updatesOf } from '@test/helpers/updates';
import { SECRETS } from '@test/services/services';

const SECRET = SECRETS.GITHUB_WEBHOOK_SECRET;
const { server, services } = githubServices();
keepErrorLog();

async function hmac(body: Uint8Array): Promise<string> {
    const algorithm = { name: 'HMAC', hash: 'SHA-256' };
    const key = await crypto.subtle.importKey('raw', new TextEncoder().encode(SECRET), algorithm, false, ['sign']);
    return `sha256=${encodeHex(new Uint8Array(await crypto.subtle.sign('HMAC', key, body)))}`;
}

interface Delivery {
    body: string | Uint8Array;
    event?: string;
    id?: string;
    /** Null for none; absent for the right one. */
    signature?: string | null;
    to?: TestServer;
}

async function deliver({ body, event = 'ping', id = crypto.randomUUID(), signature, to = server }: Delivery) {
    const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
    const headers = new Headers({
        'Content-Type': 'application/json',
        'X-GitHub-Event': event,
        'X-GitHub-Delivery': id,
    });
    const signed = signature === undefined ? await hmac(bytes) : signature;
    if (signed !== null) headers.set('X-Hub-Signature-256', signed);
    const response = await to.fetch('/v1/connect/github/webhook', { method: 'POST', headers, body: bytes });
    return { status: response.status, body: await response.json<Record<string, unknown>>() };
}

const revocation = (id: number) => JSON.stringify({ action: 'revoked', sender: { id, login: 'octo' } });

describe('GitHub webhook', () => {
    it.each(['ping', 'push', 'installation', 'star'])('acknowledges %s without asking the database', async (event) => {
        const before = server.db.roundTrips;
        expect(await deliver({ body: '{"zen":"Design for failure."}', event })).toEqual({
            status: 200,
            body: { received: true },
        });
        expect(server.db.roundTrips).toBe(before);
    });

    it('takes what GitHub’s own library signed', async () => {
        const body = JSON.stringify({ zen: 'Ключ 🔐' });
        expect((await deliver({ body, signature: await sign(SECRET, body) })).status).toBe(200);
    });

    it('checks the very bytes: spaces, escapes and a byte order mark count', async () => {
        const body = '{ "zen":"\\u00e9" ,"n":1e2}\n';
        expect((await deliver({ body })).status).toBe(200);
        const other = await hmac(new TextEncoder().encode(JSON.stringify(JSON.parse(body))));
        expect((await deliver({ body, signature: other })).status).toBe(401);
        const marked = new TextEncoder().encode(`\ufeff{}`);
        expect((await deliver({ body: marked })).status).toBe(200);
        expect((await deliver({ body: marked, signature: await hmac(new TextEncoder().encode('{}')) })).status).toBe(
            401,
        );
    });

    it.each([
        ['none', null],
        ['an empty one', ''],
        ['one of nothing', 'sha256='],
        ['no hex', `sha256=${'zz'.repeat(32)}`],
        ['a short one', `sha256=${'ab'.repeat(31)}`],
        ['another one', `sha256=${'ab'.repeat(32)}`],
        ['an old one', `sha1=${'ab'.repeat(20)}`],
    ])('refuses with %s for a signature, before it parses anything', async (_name, signature) => {
        const answer = await deliver({ body: 'no JSON', signature });
        expect(answer).toMatchObject({ status: 401, body: { error: 'Invalid signature', code: 'UNAUTHORIZED' } });
    });

    it('refuses the signature of another secret', async () => {
        const body = '{}';
        expect((await deliver({ body, signature: await sign(`${SECRET}x`, body) })).status).toBe(401);
    });

    it.each(['', 'no JSON', '{"half":'])('refuses the signed body %j', async (body) => {
        expect((await deliver({ body })).status).toBe(body === '' ? 401 : 400);
    });

    it('refuses a signed body that is no UTF-8', async () => {
        expect((await deliver({ body: new Uint8Array([0x7b, 0xff, 0x7d]) })).status).toBe(401);
    });

    it('refuses a body over 10 MiB', async () => {
        expect(
            (await deliver({ body: `"${'x'.repeat(10 * 1024 * 1024)}"`, signature: `sha256=${'ab'.repeat(32)}` }))
                .status,
        ).toBe(413);
    });

    it('is closed without a secret', async () => {
        const { server: bare } = githubServices({ GITHUB_WEBHOOK_SECRET: undefined });
        expect(await deliver({ body: '{}', to: bare })).toMatchObject({
            status: 503,
            body: { error: 'Webhook verification not configured', code: 'SERVICE_UNAVAILABLE' },
        });
    });
});

describe('a withdrawn authorization', () => {
    const clock = holdClock();
    const event = 'github_app_authorization';

    it('unlinks the account, forgets the token, and says so, in one round trip', async () => {
        const account = await createAccount(server);
        const { person } = await connectGithub(server, services, account);
        const seq = await seqOf(server, account);
        server.db.roundTrips = 0;
        expect(await deliver({ body: revocation(person.id), event })).toEqual({
            status: 200,
            body: { received: true },
        });
        expect(server.db.roundTrips).toBe(1);
        expect((await account.call('GET', '/v1/account')).body.github).toBeNull();
        expect(
            await env.DB.prepare('SELECT 1 FROM GithubUser WHERE id = ?').bind(String(person.id)).first(),
        ).toBeNull();
        const bodies = (await updatesOf(server, account, seq)).map(({ update }) => [update.seq, update.body]);
        expect(bodies).toEqual([[seq + 1, { t: 'update-account', id: account.id, github: null }]]);
    });

    it('is heard once: a replayed delivery does nothing to a newer link', async () => {
        const account = await createAccount(server);
        const id = crypto.randomUUID();
        const { person } = await connectGithub(server, services, account);
        await deliver({ body: revocation(person.id), event, id });
        await connectGithub(server, services, account, { person });
        const seq = await seqOf(server, account);
        expect(await deliver({ body: revocation(person.id), event, id })).toEqual({
            status: 200,
            body: { received: true },
        });
        expect((await account.call('GET', '/v1/account')).body.github.id).toBe(person.id);
        expect(await seqOf(server, account)).toBe(seq);

        // A new delivery of the same bytes is another withdrawal.
        await deliver({ body: revocation(person.id), event });
        expect((await account.call('GET', '/v1/account')).body.github).toBeNull();
    });

    it('is forgotten after a week, when GitHub no longer repeats it', async () => {
        const account = await createAccount(server);
        const id = crypto.randomUUID();
        const { person } = await connectGithub(server, services, account);
        await deliver({ body: revocation(person.id), event, id });
        clock.advance(7 * 24 * 60 * 60_000 + 1);
        await connectGithub(server, services, account, { person });
        await deliver({ body: revocation(person.id), event, id });
        expect((await account.call('GET', '/v1/account')).body.github).toBeNull();
    });

    it.each([
        ['of a stranger', 'revoked', 1],
        ['that is none', 'created', 0],
    ])('%s changes nothing', async (_name, action, plus) => {
        const account = await createAccount(server);
        const { person } = await connectGithub(server, services, account);
        const body = JSON.stringify({ action, sender: { id: person.id + plus } });
        expect((await deliver({ body, event })).status).toBe(200);
        expect((await account.call('GET', '/v1/account')).body.github.id).toBe(person.id);
    });

    it('can be sent again when the database was away', async () => {
        const account = await createAccount(server);
        const id = crypto.randomUUID();
        const { person } = await connectGithub(server, services, account);
        server.db.failNext('before');
        expect((await deliver({ body: revocation(person.id), event, id })).status).toBe(503);
        expect((await deliver({ body: revocation(person.id), event, id })).status).toBe(200);
        expect((await account.call('GET', '/v1/account')).body.github).toBeNull();
    });
});
