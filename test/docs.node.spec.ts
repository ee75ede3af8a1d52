import { randomBytes } from 'node:crypto';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { authRequest } from '@/client/crypto';
import { CHROMIUM } from '@test/helpers/browser';
import { startDevServer } from '@test/helpers/dev-server';
import type { DevServer } from '@test/helpers/dev-server';

describe.skipIf(!CHROMIUM)('/docs in Chromium (skipped without one: apt install chromium, or set CHROMIUM)', () => {
    let server: DevServer;
    let browser: Browser;
    let page: Page;
    /** What the page asked for, what it was refused by its policy, and what it failed at. */
    let requests: string[];
    let troubles: string[];

    beforeAll(async () => {
        server = await startDevServer();
        browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
    });

    afterAll(async () => {
        await browser?.close();
        await server?.stop();
    });

    beforeEach(async () => {
        requests = [];
        troubles = [];
        page = await browser.newPage({ viewport: { width: 1400, height: 1000 } });
        page.on('request', (request) => requests.push(request.url()));
        page.on('pageerror', (error) => troubles.push(error.message));
        // What the policy forbids never becomes a request; Chromium tells of it here.
        page.on('console', (message) => message.type() === 'error' && troubles.push(message.text()));
        await page.goto(`${server.url}/docs`);
    });

    afterEach(async () => {
        await page.close();
    });

    /** Requests to any other host, and what the page failed at; each test ends with asking for them. */
    const unwanted = () => [
        ...requests.filter((url) => !/^(data|blob):/.test(url) && !url.startsWith(`${server.url}/`)),
        ...troubles,
    ];

    /** Opens the operation, sends the request the viewer prepares, and returns what came back. */
    async function tryRequest(operation: string) {
        await page.getByRole('button', { name: operation }).click();
        const dialog = page.getByRole('dialog');
        const answer = page.waitForResponse((response) => response.url().startsWith(server.url));
        await dialog.getByRole('button', { name: /^Send/ }).first().click();
        const response = await answer;
        return { method: response.request().method(), url: response.url(), status: response.status(), dialog };
    }

    it('lists the operations', async () => {
        await page.getByRole('button', { name: 'Sessions Open Group' }).click();
        await page.getByRole('button', { name: 'Create a session, or return the one with this tag' }).waitFor();
        expect(requests).toContain(`${server.url}/openapi.json`);
        expect(unwanted()).toEqual([]);
    });

    it('tries a request that needs no token, and shows the answer', async () => {
        const { method, url, status, dialog } = await tryRequest('Test Request (get /health)');
        expect([method, url, status]).toEqual(['GET', `${server.url}/health`, 200]);
        await dialog.getByText('"healthy"').waitFor();
        expect(unwanted()).toEqual([]);
    });

    it('tries a request with the token that was typed in', async () => {
        const login = await fetch(`${server.url}/v1/auth`, {
            method: 'POST',
            headers: { 'Content-Type': 'application/json' },
            body: JSON.stringify(authRequest(randomBytes(32))),
        });
        const { token } = (await login.json()) as { token: string };
        await page.getByPlaceholder('Token').first().fill(token);
        await page.getByRole('button', { name: 'Show all Friends endpoints' }).click();
        const { url, status, dialog } = await tryRequest('Test Request (get /v1/friends)');
        expect([url, status]).toEqual([`${server.url}/v1/friends`, 200]);
        await dialog.getByText('"friends"').waitFor();
        expect(unwanted()).toEqual([]);
    });
});
