import { createScheduledController } from 'cloudflare:test';
import { env as realEnv } from 'cloudflare:workers';
import { describe, expect, it, vi } from 'vitest';
import { getDb } from '@/db/client';
import worker from '@/index';
import { sweepFiles } from '@/routers/uploads/sweep';
import { attachmentKey, fileKey } from '@/storage/keys';
import { createR2Storage } from '@/storage/r2';
import type { FileStorage } from '@/storage/r2';
import { createAccount, createSession } from '@test/helpers/account';
import { image, uploadRaw } from '@test/helpers/files';
import { startServer } from '@test/helpers/server';

const server = startServer();
const db = getDb(server.env.DB);
const HOUR = 60 * 60_000;
const files = createR2Storage(realEnv.UPLOADS);

/** The bucket in pages of three. */
const inSmallPages: FileStorage = {
    ...files,
    async list(options) {
        const { objects } = await files.list(options);
        return { objects: objects.slice(0, 3), hasMore: objects.length > 3 };
    },
};

const sweep = (hoursLater: number, storage = files) =>
    sweepFiles({ db, files: storage, now: () => Date.now() + hoursLater * HOUR });

const put = (key: string) => realEnv.UPLOADS.put(key, 'x');
const exists = async (key: string) => (await realEnv.UPLOADS.head(key)) !== null;

async function rowsOf(accountId: string): Promise<string[]> {
    const { results } = await realEnv.DB.prepare('SELECT id FROM UploadedFile WHERE accountId = ? ORDER BY id')
        .bind(accountId)
        .all<{ id: string }>();
    return results.map(({ id }) => id);
}

describe('the nightly sweep', () => {
    it('takes objects that no row knows, a day after they came', async () => {
        const account = await createAccount(server);
        const kept = (await uploadRaw(server, account, image('gif'))).body.file.id;
        const orphan = fileKey(account.id, 'corphan');
        await put(orphan);
        await sweep(23);
        expect(await exists(orphan)).toBe(true);
        await sweep(25);
        expect(await exists(orphan)).toBe(false);
        expect(await exists(fileKey(account.id, kept))).toBe(true);
    });

    it('is part of what the Worker does at night', async () => {
        const account = await createAccount(server);
        const orphan = fileKey(account.id, 'corphan');
        await put(orphan);
        vi.setSystemTime(Date.now() + 25 * HOUR);
        await worker.scheduled(createScheduledController(), realEnv).finally(() => vi.useRealTimers());
        expect(await exists(orphan)).toBe(false);
    });

    it('takes an object that another account has the row of', async () => {
        const [a, b] = [await createAccount(server), await createAccount(server)];
        const { id } = (await uploadRaw(server, a, image('gif'))).body.file;
        await put(fileKey(b.id, id));
        await sweep(25);
        expect(await exists(fileKey(b.id, id))).toBe(false);
        expect(await exists(fileKey(a.id, id))).toBe(true);
    });

    it('takes rows whose object is gone, a day after they were made', async () => {
        const account = await createAccount(server);
        const [gone, kept] = [
            (await uploadRaw(server, account, image('gif'))).body.file.id,
            (await uploadRaw(server, account, image('gif'))).body.file.id,
        ];
        await realEnv.UPLOADS.delete(fileKey(account.id, gone));
        await sweep(23);
        expect(await rowsOf(account.id)).toEqual([gone, kept].sort());
        await sweep(25);
        expect(await rowsOf(account.id)).toEqual([kept]);
    });

    it('leaves a row alone for a listing that left its object out', async () => {
        const account = await createAccount(server);
        const { id } = (await uploadRaw(server, account, image('gif'))).body.file;
        await sweep(25, { ...files, list: async () => ({ objects: [], hasMore: false }) });
        expect(await rowsOf(account.id)).toEqual([id]);
    });

    it('leaves rows of a Node server alone, whose files are elsewhere', async () => {
        const account = await createAccount(server);
        await realEnv.DB.prepare(
            "INSERT INTO UploadedFile (id, accountId, path, createdAt, updatedAt) VALUES ('cnode', ?, 'public/a.jpg', 1, 1)",
        )
            .bind(account.id)
            .run();
        await sweep(25);
        expect(await rowsOf(account.id)).toEqual(['cnode']);
    });

    it('takes attachments of sessions that are gone', async () => {
        const account = await createAccount(server);
        const live = attachmentKey(await createSession(account), 'a.enc');
        const dead = attachmentKey('cgone', 'a.enc');
        await Promise.all([put(live), put(dead)]);
        await sweep(25);
        expect([await exists(live), await exists(dead)]).toEqual([true, false]);
    });

    it('leaves alone what is none of its own', async () => {
        await Promise.all([put('backup.tar'), put('backups/2026/all.tar')]);
        await sweep(25);
        expect([await exists('backup.tar'), await exists('backups/2026/all.tar')]).toEqual([true, true]);
    });

    it('goes on the next night where it stopped, until it has seen everything', async () => {
        const account = await createAccount(server);
        const orphans = Array.from({ length: 25 }, (_, i) =>
            fileKey(account.id, `corphan${String(i).padStart(2, '0')}`),
        );
        const rowless = (await uploadRaw(server, account, image('gif'))).body.file.id;
        await realEnv.UPLOADS.delete(fileKey(account.id, rowless));
        await Promise.all(orphans.map(put));
        const left = async () => (await Promise.all(orphans.map(exists))).filter(Boolean).length;

        await sweep(25, inSmallPages);
        const afterFirst = await left();
        expect(afterFirst).toBeGreaterThan(0);
        for (let night = 0; night < 10; night++) await sweep(25, inSmallPages);
        expect(await left()).toBe(0);
        expect(await rowsOf(account.id)).toEqual([]);
    });
});
