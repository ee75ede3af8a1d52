import { env as realEnv } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { getDb } from '@/db/client';
import { sweepFiles } from '@/routers/uploads/sweep';
import { createR2Storage } from '@/storage/r2';
import { PART_BYTES } from '@/storage/upload-parts';
import { createAccount } from '@test/helpers/account';
import type { TestAccount } from '@test/helpers/account';
import { probeBucket } from '@test/helpers/bucket';
import type { BucketCall } from '@test/helpers/bucket';
import { image, send, uploadForm, uploadRaw } from '@test/helpers/files';
import { keepErrorLog } from '@test/helpers/log';
import { startServer } from '@test/helpers/server';

const bucket = probeBucket();
const server = startServer({ UPLOADS: bucket.binding });
keepErrorLog();

const TWO_DAYS = 2 * 24 * 60 * 60_000;
const sweep = () =>
    sweepFiles({ db: getDb(server.env.DB), files: createR2Storage(realEnv.UPLOADS), now: () => Date.now() + TWO_DAYS });

/** What the account has: by its rows, by its objects. */
async function stateOf(account: TestAccount) {
    const rows = await realEnv.DB.prepare('SELECT id FROM UploadedFile WHERE accountId = ? ORDER BY id')
        .bind(account.id)
        .all<{ id: string }>();
    return {
        rows: rows.results.map(({ id }) => `${account.id}/${id}`),
        objects: (await bucket.keys(`${account.id}/`)).sort(),
    };
}

/** After the sweep every row has its object and every object its row; all of them can be downloaded. */
async function expectConsistent(account: TestAccount): Promise<string[]> {
    await sweep();
    const { rows, objects } = await stateOf(account);
    expect(objects).toEqual(rows);
    for (const key of rows) {
        const { status } = await send(server, account, 'GET', `/v1/uploads/${key.split('/')[1]}/download`);
        expect(status).toBe(200);
    }
    return rows;
}

const big = new File([new Uint8Array(PART_BYTES + 1000).fill(0x41)], 'big.txt');
const setAvatar = (account: TestAccount) =>
    uploadForm(server, account, new File([image('png')], 'me.png'), {}, '/v1/uploads/avatar');

/** Every step of each kind of upload; `stored` says how many files there are when the step fails before or after it is done. */
const STEPS: [
    string,
    BucketCall | 'database',
    (account: TestAccount) => ReturnType<typeof send>,
    { before: number; after: number },
][] = [
    ['bytes in one piece', 'put', (a) => uploadRaw(server, a, image('gif')), { before: 0, after: 0 }],
    ['the row', 'database', (a) => uploadRaw(server, a, image('gif')), { before: 0, after: 1 }],
    [
        'the row with a reuse key',
        'database',
        (a) => uploadRaw(server, a, image('gif'), { reuseKey: 'k' }),
        { before: 0, after: 1 },
    ],
    ['the beginning of parts', 'createMultipartUpload', (a) => uploadForm(server, a, big), { before: 0, after: 0 }],
    ['a part', 'uploadPart', (a) => uploadForm(server, a, big), { before: 0, after: 0 }],
    ['the end of parts', 'complete', (a) => uploadForm(server, a, big), { before: 0, after: 0 }],
    ['the row after parts', 'database', (a) => uploadForm(server, a, big), { before: 0, after: 1 }],
];

describe('an upload that fails at a step', () => {
    describe.each(['before', 'after'] as const)('%s it is done', (when) => {
        it.each(STEPS)('%s (%s)', async (_, step, upload, stored) => {
            const account = await createAccount(server);
            await uploadRaw(server, account, image('gif'));
            const { rows: before } = await stateOf(account);
            if (step === 'database') server.db.failNext(when);
            else bucket.failNext(step, when);

            const { status, body } = await upload(account);
            expect([status, body.code]).toEqual([503, 'SERVICE_UNAVAILABLE']);
            const rows = await expectConsistent(account);
            expect(rows).toHaveLength(before.length + stored[when]);
            // Nothing stands in the way of a second try.
            expect((await upload(account)).status).toBe(200);
            await expectConsistent(account);
        });
    });
});

describe('a thumbhash that cannot be made', () => {
    it('takes nothing from the file', async () => {
        const account = await createAccount(server);
        bucket.failNext('get', 'before');
        const { status, body } = await uploadRaw(server, account, image('png'));
        expect(status).toBe(200);
        expect((await account.call('GET', `/v1/uploads/${body.file.id}`)).body.file.thumbhash).toBeNull();
        await expectConsistent(account);
    });
});

describe('a new avatar', () => {
    it.each([
        ['put', 'before', 503, 'old'],
        ['put', 'after', 503, 'old'],
        ['database', 'before', 503, 'old'],
        ['database', 'after', 503, 'new'],
        ['delete', 'before', 200, 'new'],
        ['delete', 'after', 200, 'new'],
    ] as const)('whose %s fails %s it is done: there is always one', async (step, when, expected, whose) => {
        const account = await createAccount(server);
        const old = (await setAvatar(account)).body.avatar;
        if (step === 'database') server.db.failNext(when);
        else bucket.failNext(step, when);
        expect((await setAvatar(account)).status).toBe(expected);

        for (const swept of [false, true]) {
            if (swept) expect(await expectConsistent(account)).toHaveLength(1);
            const { avatar } = (await account.call('GET', '/v1/account')).body;
            expect(avatar.id === old.id ? 'old' : 'new').toBe(whose);
            expect((await send(server, null, 'GET', avatar.url)).bytes).toEqual(image('png'));
        }
    });
});

describe('a deletion', () => {
    it.each([
        ['database', 'before', 503, 1],
        ['database', 'after', 503, 0],
        ['delete', 'before', 200, 0],
        ['delete', 'after', 200, 0],
    ] as const)(
        'whose %s fails %s it is done never leaves a row without its bytes',
        async (step, when, expected, left) => {
            const account = await createAccount(server);
            const { file } = (await uploadRaw(server, account, image('gif'))).body;
            if (step === 'database') server.db.failNext(when);
            else bucket.failNext(step, when);
            expect((await account.call('DELETE', `/v1/uploads/${file.id}`)).status).toBe(expected);

            const { rows, objects } = await stateOf(account);
            for (const key of rows) expect(objects).toContain(key);
            expect(await expectConsistent(account)).toHaveLength(left);
        },
    );
});
