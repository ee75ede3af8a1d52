import { describe, expect, it } from 'vitest';
import { createAccount } from '@test/helpers/account';
import { statements } from '@test/helpers/database';
import { startServer } from '@test/helpers/server';

const server = startServer();
const HEADER_BYTES = 256 * 1024;
const BODY_BYTES = Math.floor(1.4 * 1024 * 1024);

/** Bytes in which every value and every neighbour occurs, in base64. */
function noise(bytes: number): string {
    const buffer = Buffer.alloc(bytes);
    for (let at = 0; at < bytes; at += 65_536) crypto.getRandomValues(buffer.subarray(at, at + 65_536));
    return buffer.toString('base64');
}

const newArtifact = (fields: object = {}) => ({
    id: crypto.randomUUID(),
    header: 'AAAA',
    body: 'AAAA',
    dataEncryptionKey: 'AAAA',
    ...fields,
});

describe('large artifacts', () => {
    it.each([
        ['what D1 still takes as bytes', 16_384, 16_384],
        ['what it takes as hex', 16_385, 16_385],
        ['a body of one piece', 1, 900_000],
        ['a body of two pieces', 1, 900_001],
        ['the most of both', HEADER_BYTES, BODY_BYTES],
    ])('come back byte-exact (P10): %s', async (_, headerBytes, bodyBytes) => {
        const account = await createAccount(server);
        const artifact = newArtifact({
            header: noise(headerBytes),
            body: noise(bodyBytes),
            dataEncryptionKey: noise(1024),
        });
        const created = await account.call('POST', '/v1/artifacts', artifact);
        expect(created.status).toBe(200);
        const read = await account.call('GET', `/v1/artifacts/${artifact.id}`);
        // Compared as texts: a failing comparison of megabytes would print them.
        expect(JSON.stringify(read.body) === JSON.stringify(created.body)).toBe(true);
        expect(read.body.header === artifact.header && read.body.body === artifact.body).toBe(true);
        const listed = (await account.call('GET', '/v1/artifacts')).body.artifacts[0];
        expect(listed.header === artifact.header).toBe(true);
    });

    it('are replaced and told to who lost, at full size', async () => {
        const account = await createAccount(server);
        const artifact = newArtifact();
        await account.call('POST', '/v1/artifacts', artifact);
        const change = {
            header: noise(HEADER_BYTES),
            expectedHeaderVersion: 1,
            body: noise(BODY_BYTES),
            expectedBodyVersion: 1,
        };
        const path = `/v1/artifacts/${artifact.id}`;
        expect((await account.call('POST', path, change)).body).toEqual({
            success: true,
            headerVersion: 2,
            bodyVersion: 2,
        });
        const { body } = await account.call('POST', path, change);
        expect(body).toMatchObject({ success: false, currentHeaderVersion: 2, currentBodyVersion: 2 });
        expect(body.currentHeader === change.header && body.currentBody === change.body).toBe(true);
    });

    it('are listed without reading their bodies', async () => {
        const account = await createAccount(server);
        statements.clear();
        await account.call('GET', '/v1/artifacts');
        const sent = [...statements.keys()].filter((sql) => sql.includes('"Artifact"'));
        expect(sent).toHaveLength(1);
        expect(sent[0]).not.toContain('"body"');
    });
});

describe('POST /v1/artifacts refuses', () => {
    it.each([
        ['nothing', {}],
        ['no body', { ...newArtifact(), body: undefined }],
        ['a body null', newArtifact({ body: null })],
        ['a header of 256 KiB and a byte', newArtifact({ header: noise(HEADER_BYTES + 1) })],
        ['a body of 1.4 MiB and a byte', newArtifact({ body: noise(BODY_BYTES + 1) })],
        ['a key of 1,025 bytes', newArtifact({ dataEncryptionKey: noise(1025) })],
        ['a header that is no base64', newArtifact({ header: 'not base64!' })],
        ['a body in base64url', newArtifact({ body: '-_-_' })],
        ['a body without padding', newArtifact({ body: 'AAA' })],
        ['bits left over', newArtifact({ body: 'AAF=' })],
        ['a header that is a number', newArtifact({ header: 7 })],
        ['an empty id', newArtifact({ id: '' })],
        ['an id of 129 characters', newArtifact({ id: 'i'.repeat(129) })],
        ['an id with a slash', newArtifact({ id: 'a/b' })],
        ['an id with a dot', newArtifact({ id: 'a.b' })],
        ['an id in another script', newArtifact({ id: 'ключ' })],
        ['an id with a line end', newArtifact({ id: 'a\n' })],
    ])('%s', async (_, body) => {
        const account = await createAccount(server);
        expect(await account.call('POST', '/v1/artifacts', body)).toMatchObject({
            status: 400,
            body: { code: 'VALIDATION_FAILED' },
        });
        expect((await account.call('GET', '/v1/artifacts')).body.artifacts).toEqual([]);
    });

    it('no id of 128 characters', async () => {
        const account = await createAccount(server);
        const id = `${account.id}${'-_Az09'.repeat(20)}`.slice(0, 128);
        expect((await account.call('POST', '/v1/artifacts', newArtifact({ id }))).status).toBe(200);
        expect((await account.call('GET', `/v1/artifacts/${id}`)).body.id).toBe(id);
    });
});

describe('POST /v1/artifacts/:id refuses', () => {
    it.each([
        ['a header without its version', { header: 'AAAA' }],
        ['a header whose version is null', { header: 'AAAA', expectedHeaderVersion: null }],
        ['a body without its version', { body: 'AAAA', expectedHeaderVersion: 1 }],
        ['one part without its version beside one with', { header: 'AAAA', expectedHeaderVersion: 1, body: 'AAAA' }],
        ['a version as text', { header: 'AAAA', expectedHeaderVersion: '1' }],
        ['a version that is no integer', { body: 'AAAA', expectedBodyVersion: 1.5 }],
        ['a version below 0', { body: 'AAAA', expectedBodyVersion: -1 }],
        ['a body that is no base64', { body: '?', expectedBodyVersion: 1 }],
        ['a body of 1.4 MiB and a byte', { body: noise(BODY_BYTES + 1), expectedBodyVersion: 1 }],
    ])('%s', async (_, body) => {
        const account = await createAccount(server);
        const { id } = (await account.call('POST', '/v1/artifacts', newArtifact())).body;
        const before = await account.call('GET', `/v1/artifacts/${id}`);
        expect(await account.call('POST', `/v1/artifacts/${id}`, body)).toMatchObject({
            status: 400,
            body: { code: 'VALIDATION_FAILED' },
        });
        expect((await account.call('GET', `/v1/artifacts/${id}`)).body).toEqual(before.body);
    });
});
