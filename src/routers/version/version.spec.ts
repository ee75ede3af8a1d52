import { describe, expect, it, vi } from 'vitest';
import { call } from '@test/helpers/account';
import { roundTripsOf } from '@test/helpers/answers';
import { startServer } from '@test/helpers/server';
import { createClient } from '@test/helpers/trpc';

const server = startServer({
    MIN_VERSION_IOS: '1.4.1',
    MIN_VERSION_ANDROID: '2.0.0-beta.3',
    STORE_URL_IOS: 'https://store.test/ios',
    STORE_URL_ANDROID: 'https://store.test/android',
});

function check(platform: string, version: string, where = server) {
    return call(where, 'POST', '/v1/version', { platform, version, app_id: 'com.ex3ndr.happy' });
}

describe('POST /v1/version', () => {
    it.each([
        ['ios', '1.4.0', true],
        ['ios', '1.4.1', false],
        ['iOS', '1.4.0', true],
        ['ios', '1.4', true],
        ['ios', '1.5', false],
        ['ios', 'v1.4.1', false],
        ['ios', '1.10.0', false],
        ['ios', '0.99.99', true],
        ['ios', '1.4.1-rc.1', true],
        ['ios', '1.4.1+77', false],
        ['android', '2.0.0-beta.2', true],
        ['android', '2.0.0-beta.10', false],
        ['android', '2.0.0', false],
        ['web', '0.0.1', false],
        ['constructor', '0.0.1', false],
    ])('%s %s must update: %s', async (platform, version, mustUpdate) => {
        const { status, body } = await check(platform, version);
        const updateUrl = mustUpdate ? `https://store.test/${platform.toLowerCase()}` : null;
        expect({ status, body }).toEqual({ status: 200, body: { updateUrl } });
    });

    it('knows the published app without configuration', async () => {
        const plain = startServer();
        expect((await check('ios', '1.4.0', plain)).body.updateUrl).toBe(
            'https://apps.apple.com/us/app/happy-claude-code-client/id6748571505',
        );
        expect((await check('android', '1.4.0', plain)).body.updateUrl).toContain('id=com.ex3ndr.happy');
        expect((await check('ios', '1.4.1', plain)).body).toEqual({ updateUrl: null });
    });

    it('names a minimum version that is none as a configuration error', async () => {
        const wrong = startServer({ MIN_VERSION_ANDROID: 'latest' });
        const log = vi.spyOn(console, 'error').mockImplementation(() => {});
        const { status, body } = await check('ios', '1.4.0', wrong);
        expect({ status, missing: body.missing }).toEqual({
            status: 500,
            missing: ['MIN_VERSION_ANDROID (not a version)'],
        });
        log.mockRestore();
    });

    it('asks the database nothing, and needs no token', async () => {
        expect(await roundTripsOf(server, () => check('ios', '1.4.0'))).toBe(0);
    });

    it('serves tRPC clients the same, and clients that send no app_id', async () => {
        const client = createClient(server);
        expect(await client.version.check.mutate({ platform: 'ios', version: '1.0.0' })).toEqual({
            updateUrl: 'https://store.test/ios',
        });
    });

    it.each(['', 'abc', '1.x', '>=1.0', '1.4.1 (3)', '1.2.3.4.5', '-1.0', `1.${'0'.repeat(64)}`, 1.4, null])(
        'refuses the version %j',
        async (version) => {
            const input = { platform: 'ios', version, app_id: 'a' };
            expect((await call(server, 'POST', '/v1/version', input)).status).toBe(400);
        },
    );
});
