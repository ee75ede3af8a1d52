import { describe, expect, it } from 'vitest';
import { createAccount } from '@test/helpers/account';
import { holdClock } from '@test/helpers/clock';
import { startServer } from '@test/helpers/server';
import { seqOf, updatesOf } from '@test/helpers/updates';

const server = startServer();

const newArtifact = () => ({
    id: crypto.randomUUID(),
    header: btoa('header'),
    body: btoa('body'),
    dataEncryptionKey: btoa('key'),
});

describe('POST /v1/artifacts', () => {
    const clock = holdClock();

    it('creates an artifact with first versions, flat and under `artifact`', async () => {
        const account = await createAccount(server);
        const input = newArtifact();
        const { status, body } = await account.call('POST', '/v1/artifacts', input);
        expect(status).toBe(200);
        const now = Date.now();
        const artifact = { ...input, headerVersion: 1, bodyVersion: 1, seq: 0, createdAt: now, updatedAt: now };
        expect(body).toEqual({ ...artifact, artifact });
        expect((await account.call('GET', `/v1/artifacts/${input.id}`)).body).toEqual(body);
    });

    it('tells of a new artifact as REST shows it', async () => {
        const account = await createAccount(server);
        const input = newArtifact();
        const { body } = await account.call('POST', '/v1/artifacts', input);
        const updates = await updatesOf(server, account);
        expect(updates.map(({ update, to }) => ({ seq: update.seq, body: update.body, to }))).toEqual([
            { seq: 1, body: { t: 'new-artifact', artifactId: input.id, ...body.artifact }, to: {} },
        ]);
    });

    it('returns the artifact that has the id already, unchanged, and tells nothing', async () => {
        const account = await createAccount(server);
        const input = newArtifact();
        const first = await account.call('POST', '/v1/artifacts', input);
        clock.advance(1000);
        const again = await account.call('POST', '/v1/artifacts', {
            ...newArtifact(),
            id: input.id,
            body: btoa('other'),
        });
        expect(again.status).toBe(200);
        expect(again.body).toEqual(first.body);
        expect(await seqOf(server, account)).toBe(1);
        expect(await updatesOf(server, account)).toHaveLength(1);
    });

    it('makes one artifact of 20 creations at once', async () => {
        const account = await createAccount(server);
        const input = newArtifact();
        const answers = await Promise.all(
            Array.from({ length: 20 }, (_, i) =>
                account.call('POST', '/v1/artifacts', { ...input, body: btoa(`${i}`) }),
            ),
        );
        expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
        expect(new Set(answers.map(({ body }) => body.body)).size).toBe(1);
        expect(await seqOf(server, account)).toBe(1);
    });

    it("refuses another account's id, and shows nothing of it", async () => {
        const [owner, other] = [await createAccount(server), await createAccount(server)];
        const input = newArtifact();
        const { body: before } = await owner.call('POST', '/v1/artifacts', input);
        const { status, body } = await other.call('POST', '/v1/artifacts', { ...input, body: btoa('mine') });
        expect(status).toBe(409);
        expect(body).toEqual({
            error: 'Artifact with this ID already exists for another account',
            code: 'CONFLICT',
            requestId: expect.any(String),
        });
        expect((await owner.call('GET', `/v1/artifacts/${input.id}`)).body).toEqual(before);
        expect(await seqOf(server, other)).toBe(0);
    });

    it('takes an id again once its artifact is deleted', async () => {
        const [owner, other] = [await createAccount(server), await createAccount(server)];
        const input = newArtifact();
        await owner.call('POST', '/v1/artifacts', input);
        await owner.call('DELETE', `/v1/artifacts/${input.id}`);
        expect((await other.call('POST', '/v1/artifacts', input)).status).toBe(200);
    });
});

describe('GET /v1/artifacts', () => {
    const clock = holdClock();

    /** Three artifacts; the one made first was changed last. */
    async function threeArtifacts() {
        const account = await createAccount(server);
        const inputs = [newArtifact(), newArtifact(), newArtifact()];
        for (const input of inputs) {
            await account.call('POST', '/v1/artifacts', input);
            clock.advance(1000);
        }
        const [a, b, c] = inputs.map(({ id }) => id) as [string, string, string];
        await account.call('POST', `/v1/artifacts/${a}`, { header: btoa('changed'), expectedHeaderVersion: 1 });
        return { account, order: [a, c, b] };
    }

    it('lists headers only, the most recently changed first', async () => {
        const { account, order } = await threeArtifacts();
        const { status, body } = await account.call('GET', '/v1/artifacts');
        expect(status).toBe(200);
        expect(body.artifacts.map(({ id }: { id: string }) => id)).toEqual(order);
        expect(body.artifacts[0]).toEqual({
            id: order[0],
            header: btoa('changed'),
            headerVersion: 2,
            dataEncryptionKey: btoa('key'),
            seq: 1,
            createdAt: Date.now() - 3000,
            updatedAt: Date.now(),
        });
    });

    it('answers stock clients with the bare array', async () => {
        const { account } = await threeArtifacts();
        const { body } = await account.call('GET', '/v1/artifacts');
        const stock = await account.call('GET', '/v1/artifacts', undefined, { 'X-Happy-Client': 'web/1.7.0' });
        expect(stock.body).toEqual(body.artifacts);
    });

    it('lists at most 200', async () => {
        const account = await createAccount(server);
        await server.env.DB.prepare(
            `INSERT INTO Artifact (id, accountId, createdAt, updatedAt, dataEncryptionKey, header, body)
             SELECT ?1 || value, ?1, 1, value, x'', x'', x'' FROM json_each(?2)`,
        )
            .bind(account.id, JSON.stringify(Array.from({ length: 201 }, (_, i) => i)))
            .run();
        const { body } = await account.call('GET', '/v1/artifacts');
        const expected = Array.from({ length: 200 }, (_, i) => `${account.id}${200 - i}`);
        expect(body.artifacts.map(({ id }: { id: string }) => id)).toEqual(expected);
    });
});
