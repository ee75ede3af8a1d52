import { describe, expect, it } from 'vitest';
import { createAccount } from '@test/helpers/account';
import { holdClock } from '@test/helpers/clock';
import { startServer } from '@test/helpers/server';
import { seqOf, updatesOf } from '@test/helpers/updates';

const server = startServer();
const [OLD, NEW] = [btoa('old'), btoa('new')];

/** An account with one artifact. */
async function oneArtifact() {
    const account = await createAccount(server);
    const id = crypto.randomUUID();
    await account.call('POST', '/v1/artifacts', { id, header: OLD, body: OLD, dataEncryptionKey: '' });
    const path = `/v1/artifacts/${id}`;
    const read = async () => (await account.call('GET', path)).body.artifact;
    return { account, id, path, read };
}

describe('POST /v1/artifacts/:id', () => {
    const clock = holdClock();

    it.each([
        [
            'the header',
            { header: NEW, expectedHeaderVersion: 1 },
            { headerVersion: 2 },
            { header: NEW, headerVersion: 2 },
        ],
        ['the body', { body: NEW, expectedBodyVersion: 1 }, { bodyVersion: 2 }, { body: NEW, bodyVersion: 2 }],
        [
            'both',
            { header: NEW, expectedHeaderVersion: 1, body: NEW, expectedBodyVersion: 1 },
            { headerVersion: 2, bodyVersion: 2 },
            { header: NEW, headerVersion: 2, body: NEW, bodyVersion: 2 },
        ],
        [
            'the header, a null body being none',
            { header: NEW, expectedHeaderVersion: 1, body: null },
            { headerVersion: 2 },
            { header: NEW, headerVersion: 2 },
        ],
        ['an empty body', { body: '', expectedBodyVersion: 1 }, { bodyVersion: 2 }, { body: '', bodyVersion: 2 }],
    ])('replaces %s', async (_, input, versions, changed) => {
        const { account, path, read } = await oneArtifact();
        const before = await read();
        clock.advance(1000);
        const answer = await account.call('POST', path, input);
        expect(answer.status).toBe(200);
        expect(answer.body).toEqual({ success: true, ...versions });
        expect(await read()).toEqual({ ...before, ...changed, seq: 1, updatedAt: Date.now() });
    });

    it.each([
        ['the header', { header: NEW, expectedHeaderVersion: 0 }, { currentHeaderVersion: 1, currentHeader: OLD }],
        ['the body', { body: NEW, expectedBodyVersion: 2 }, { currentBodyVersion: 1, currentBody: OLD }],
        [
            'the header of both',
            { header: NEW, expectedHeaderVersion: 2, body: NEW, expectedBodyVersion: 1 },
            { currentHeaderVersion: 1, currentHeader: OLD },
        ],
        [
            'the body of both',
            { header: NEW, expectedHeaderVersion: 1, body: NEW, expectedBodyVersion: 0 },
            { currentBodyVersion: 1, currentBody: OLD },
        ],
        [
            'both of both',
            { header: NEW, expectedHeaderVersion: 5, body: NEW, expectedBodyVersion: 5 },
            { currentHeaderVersion: 1, currentHeader: OLD, currentBodyVersion: 1, currentBody: OLD },
        ],
    ])('writes neither part when %s has another version, and tells that one', async (_, input, current) => {
        const { account, path, read } = await oneArtifact();
        const before = await read();
        clock.advance(1000);
        const answer = await account.call('POST', path, input);
        expect(answer.status).toBe(200);
        expect(answer.body).toEqual({ success: false, error: 'version-mismatch', ...current });
        expect(await read()).toEqual(before);
        expect(await seqOf(server, account)).toBe(1);
    });

    it('tells an empty part from none in a mismatch', async () => {
        const account = await createAccount(server);
        const id = crypto.randomUUID();
        await account.call('POST', '/v1/artifacts', { id, header: '', body: '', dataEncryptionKey: '' });
        const input = { header: NEW, expectedHeaderVersion: 0, body: NEW, expectedBodyVersion: 0 };
        const { body } = await account.call('POST', `/v1/artifacts/${id}`, input);
        expect(body).toMatchObject({
            currentHeaderVersion: 1,
            currentHeader: '',
            currentBodyVersion: 1,
            currentBody: '',
        });
    });

    it('tells of the parts that changed', async () => {
        const { account, id, path } = await oneArtifact();
        await account.call('POST', path, { header: NEW, expectedHeaderVersion: 1 });
        await account.call('POST', path, { header: NEW, expectedHeaderVersion: 1 });
        await account.call('POST', path, { header: OLD, expectedHeaderVersion: 2, body: NEW, expectedBodyVersion: 1 });
        const updates = await updatesOf(server, account, 1);
        expect(updates.map(({ update, to }) => ({ seq: update.seq, body: update.body, to }))).toEqual([
            { seq: 2, body: { t: 'update-artifact', artifactId: id, header: { value: NEW, version: 2 } }, to: {} },
            {
                seq: 3,
                body: {
                    t: 'update-artifact',
                    artifactId: id,
                    header: { value: OLD, version: 3 },
                    body: { value: NEW, version: 2 },
                },
                to: {},
            },
        ]);
    });

    it.each([
        ['header', 'Header'],
        ['body', 'Body'],
    ])('P7 optimistic lock on the %s: of 20 writers one wins, and 19 get its value', async (part, name) => {
        const { account, path, read } = await oneArtifact();
        const answers = await Promise.all(
            Array.from({ length: 20 }, (_, i) =>
                account.call('POST', path, { [part]: btoa(`writer ${i}`), [`expected${name}Version`]: 1 }),
            ),
        );
        const winners = answers.flatMap(({ body }, i) => (body.success ? [btoa(`writer ${i}`)] : []));
        expect(winners).toHaveLength(1);
        expect(answers.filter(({ body }) => !body.success).map(({ body }) => body)).toEqual(
            Array(19).fill({
                success: false,
                error: 'version-mismatch',
                [`current${name}Version`]: 2,
                [`current${name}`]: winners[0],
            }),
        );
        expect(await read()).toMatchObject({ [part]: winners[0], [`${part}Version`]: 2, seq: 1 });
        expect(await seqOf(server, account)).toBe(2);
    });

    it('P7 both parts or neither: writers of one part and of both never mix', async () => {
        const { account, path, read } = await oneArtifact();
        const answers = await Promise.all(
            Array.from({ length: 20 }, (_, i) => {
                const value = btoa(`writer ${i}`);
                const both = { header: value, expectedHeaderVersion: 1, body: value, expectedBodyVersion: 1 };
                const { body: _body, expectedBodyVersion: _version, ...headerOnly } = both;
                return account.call('POST', path, i % 2 === 0 ? both : headerOnly);
            }),
        );
        const winners = answers.flatMap(({ body }, i) => (body.success ? [i] : []));
        expect(winners).toHaveLength(1);
        const [winner] = winners as [number];
        const value = btoa(`writer ${winner}`);
        expect(await read()).toMatchObject({ header: value, headerVersion: 2, body: winner % 2 === 0 ? value : OLD });
    });

    it('without a part changes nothing', async () => {
        const { account, path, read } = await oneArtifact();
        const before = await read();
        expect((await account.call('POST', path)).body).toEqual({ success: true });
        expect(await read()).toEqual(before);
        expect(await seqOf(server, account)).toBe(1);
    });
});

describe('DELETE /v1/artifacts/:id', () => {
    it('deletes for good, and tells', async () => {
        const { account, id, path } = await oneArtifact();
        expect(await account.call('DELETE', path)).toMatchObject({ status: 200, body: { success: true } });
        expect(await account.call('GET', path)).toMatchObject({ status: 404, body: { error: 'Artifact not found' } });
        expect((await account.call('GET', '/v1/artifacts')).body.artifacts).toEqual([]);
        expect((await account.call('DELETE', path)).status).toBe(404);
        const updates = await updatesOf(server, account, 1);
        expect(updates.map(({ update, to }) => ({ seq: update.seq, body: update.body, to }))).toEqual([
            { seq: 2, body: { t: 'delete-artifact', artifactId: id }, to: {} },
        ]);
    });
});
