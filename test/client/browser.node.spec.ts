import { randomBytes, randomUUID } from 'node:crypto';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHappyClient } from '@/client';
import { CHROMIUM, serveExamples } from '@test/helpers/browser';
import type { Site } from '@test/helpers/browser';
import { buildClient } from '@test/helpers/built-client';
import { startWorkerd } from '@test/helpers/workerd';
import type { WorkerdServer } from '@test/helpers/workerd';

describe.skipIf(!CHROMIUM)('in Chromium (skipped without one: apt install chromium, or set CHROMIUM)', () => {
    let server: WorkerdServer;
    let site: Site;
    let browser: Browser;

    beforeAll(async () => {
        await buildClient();
        site = await serveExamples();
        server = await startWorkerd({ CORS_ORIGINS: site.url });
        browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
    });
    afterAll(async () => {
        await browser?.close();
        await server?.stop();
        await site?.stop();
    });

    /** Runs code of a page that has the client as `client` and the server's address as `url`. */
    async function inPage(body: string, at = site.url): Promise<unknown> {
        const page = await browser.newPage();
        try {
            await page.goto(`${at}/examples/live-sessions.html#server=${server.url}&token=none`);
            return await page.evaluate(
                `(async () => { const client = await import('${at}/dist/client/index.js'); const url = '${server.url}'; ${body} })()`,
            );
        } finally {
            await page.close();
        }
    }

    it('logs in, calls, follows and fails with typed codes, from another origin', async () => {
        const result = await inPage(`
            const happy = await client.createHappyClient({ url }).login(client.randomBytes(32));
            const updates = [];
            let open, got;
            const opened = new Promise((resolve) => (open = resolve)), complete = new Promise((resolve) => (got = resolve));
            const following = happy.follow({
                onState: (state) => state === 'open' && open(),
                onUpdate: ({ seq, body }) => { updates.push([seq, body.t]); if (updates.length === 2) got(); },
            });
            await opened;
            const { session } = await happy.api.sessions.create.mutate({ tag: 'one', metadata: 'bQ==' });
            await happy.api.messages.create.mutate({ id: session.id, content: 'hello' });
            await complete;
            following.close();
            const error = await happy.api.sessions.get.query({ id: 'nothing' }).catch((reason) => reason);
            return { updates, code: error.code, isHappyError: error instanceof client.HappyError, requestId: typeof error.requestId };
        `);
        expect(result).toEqual({
            updates: [
                [1, 'new-session'],
                [2, 'new-message'],
            ],
            code: 'NOT_FOUND',
            isHappyError: true,
            requestId: 'string',
        });
    });

    it('continues after a cut, over CORS', async () => {
        const secret = new Uint8Array(randomBytes(32));
        const happy = await createHappyClient({ url: server.url }).login(secret);
        const page: Page = await browser.newPage();
        await page.goto(`${site.url}/examples/live-sessions.html#server=${server.url}&token=${happy.token ?? ''}`);
        await page.getByText('Live', { exact: true }).waitFor();
        const { session } = await happy.api.sessions.create.mutate({ tag: 'one', metadata: 'bQ==' });
        await page.getByText(`${session.id}: 0 messages, active`).waitFor();

        await server.restart();
        await happy.api.messages.create.mutate({ id: session.id, localId: randomUUID(), content: 'x' });
        await page.getByText(`${session.id}: 1 messages`).waitFor();
        await happy.api.auth.logout.mutate({});
        await page.getByText('UNAUTHORIZED').waitFor();
        expect(await page.getByRole('listitem').count()).toBe(1);
        await page.close();
    });

    it('is kept out where CORS_ORIGINS does not name its origin', async () => {
        const elsewhere = await serveExamples();
        try {
            const result = await inPage(
                `return client.createHappyClient({ url }).api.sessions.list.query({}).then(() => 'in', (error) => error.code);`,
                elsewhere.url,
            );
            expect(result).toBe('NETWORK');
        } finally {
            await elsewhere.stop();
        }
    });
});
