import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { call } from '@test/helpers/account';
import { told } from '@test/helpers/answers';
import { startServer } from '@test/helpers/server';
import type { TestServer } from '@test/helpers/server';

const PATH = '/logs-combined-from-cli-and-mobile-for-simple-ai-debugging';
const SWITCH = 'DANGEROUSLY_LOG_TO_SERVER_FOR_AI_AUTO_DEBUGGING';
const line = {
    timestamp: '2024-01-15T10:30:00.000Z',
    level: 'info',
    message: 'first line\nsecond "line"',
    source: 'mobile',
    platform: 'ios',
};

function send(server: TestServer, input: unknown = line) {
    return call(server, 'POST', PATH, input);
}

describe('the dev log, switched off', () => {
    it.each([
        ['without the variable', {}],
        ['with an empty one', { [SWITCH]: '' }],
        ['with false', { [SWITCH]: 'false' }],
        ['in production, whatever the variable', { [SWITCH]: 'true', ENVIRONMENT: 'production' }],
        ['where the environment is not named', { [SWITCH]: 'true', ENVIRONMENT: undefined }],
    ])('is not there %s, good input or bad', async (_, variables) => {
        const server = startServer(variables);
        const unknownPath = told(await call(server, 'POST', '/no-such-path', line));
        expect(unknownPath.status).toBe(404);
        for (const input of [line, {}, undefined]) expect(told(await send(server, input))).toEqual(unknownPath);
    });
});

describe('the dev log, switched on', () => {
    const written: Record<string, unknown>[] = [];
    const keep = (text: string) => {
        const entry = JSON.parse(text) as Record<string, unknown>;
        if (entry.message === 'client log') written.push(entry);
    };
    beforeEach(() => {
        written.length = 0;
        vi.spyOn(console, 'log').mockImplementation(keep);
        vi.spyOn(console, 'error').mockImplementation(keep);
    });
    afterEach(() => {
        vi.restoreAllMocks();
    });
    const on = (more: object = {}) => startServer({ [SWITCH]: 'true', LOG_LEVEL: 'info', ...more });

    it.each(['development', 'dev'])(
        'writes one line of the server’s log in %s, without a token',
        async (ENVIRONMENT) => {
            const { status, body } = await send(on({ ENVIRONMENT }));
            expect({ status, body }).toEqual({ status: 200, body: { success: true } });
            expect(written).toEqual([
                {
                    level: 'info',
                    message: 'client log',
                    requestId: expect.any(String),
                    clientLevel: 'info',
                    clientMessage: line.message,
                    clientTime: line.timestamp,
                    source: 'mobile',
                    platform: 'ios',
                },
            ]);
        },
    );

    it.each([
        ['error', 'error'],
        ['ERROR', 'error'],
        ['warn', 'info'],
        ['debug', 'info'],
    ])('writes %s as %s', async (level, as) => {
        await send(on(), { ...line, level });
        expect(written).toMatchObject([{ level: as, clientLevel: level }]);
    });

    it('is bounded, and drops fields it does not know', async () => {
        const server = on();
        const longest = { ...line, message: 'x'.repeat(16_384), messageRawObject: { secret: 1 } };
        expect((await send(server, longest)).status).toBe(200);
        expect(JSON.stringify(written)).not.toContain('secret');
        expect((await send(server, { ...line, message: 'x'.repeat(16_385) })).status).toBe(400);
    });

    it('is limited per address, apart from logins', async () => {
        const limit = vi.fn(async ({ key }: { key: string }) => ({ success: !key.startsWith('dev-log') }));
        const server = on({ AUTH_LIMITER: { limit } });
        expect((await send(server)).status).toBe(429);
        expect(written).toEqual([]);
        expect((await call(server, 'POST', '/v1/auth', {})).status).toBe(400);
    });

    it.each([
        {},
        { ...line, source: 'web' },
        { ...line, level: 'x'.repeat(17) },
        { ...line, message: 7 },
        { ...line, message: undefined },
        { ...line, platform: 'x'.repeat(65) },
    ])('refuses %j', async (input) => {
        expect((await send(on(), input)).status).toBe(400);
        expect(written).toEqual([]);
    });
});
