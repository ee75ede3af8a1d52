import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import openapiTypes, { astToString } from 'openapi-typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authRequest } from '@/client';
import { run } from '@test/helpers/built-client';
import { startWorkerd } from '@test/helpers/workerd';
import type { WorkerdServer } from '@test/helpers/workerd';
import { inProject } from '../../scripts/lib/project.mjs';

const project = mkdtempSync(path.join(tmpdir(), 'happy-openapi-'));
let server: WorkerdServer;

beforeAll(async () => {
    server = await startWorkerd();
    const document = (await (await fetch(`${server.url}openapi.json`)).json()) as Parameters<typeof openapiTypes>[0];
    writeFileSync(path.join(project, 'schema.ts'), astToString(await openapiTypes(document)));
    writeFileSync(path.join(project, 'package.json'), JSON.stringify({ type: 'module' }));
});
afterAll(async () => {
    await server?.stop();
    rmSync(project, { recursive: true, force: true });
});

async function compile(name: string, source: string): Promise<string> {
    writeFileSync(path.join(project, name), source);
    const tsc = inProject('node_modules', 'typescript', 'bin', 'tsc');
    const options = [
        '--strict',
        '--noUncheckedIndexedAccess',
        '--types',
        'node',
        '--typeRoots',
        inProject('node_modules', '@types'),
    ];
    return run(
        process.execPath,
        [tsc, name, ...options, '--module', 'nodenext', '--target', 'es2022', '--lib', 'es2023'],
        project,
    );
}

describe('a client generated from /openapi.json', () => {
    it('compiles, and drives the main flow', async () => {
        await compile('flow.ts', CLIENT + FLOW);
        const login = JSON.stringify(authRequest(new Uint8Array(randomBytes(32))));
        const output = await run(process.execPath, ['flow.js', server.url.replace(/\/$/, ''), login], project);
        expect(JSON.parse(output)).toEqual({
            appended: [1, 2],
            listed: ['one', 'two'],
            hasMore: false,
            sessions: 1,
            active: false,
            missing: 'NOT_FOUND',
            machine: 'm1',
            version: 1,
        });
    });

    it('does not compile what the document does not have', async () => {
        const wrong = [
            "await call('get', '/v1/nothing', {});",
            "await call('post', '/v1/sessions', { body: { tag: 'a' } });",
            "(await call('get', '/v1/sessions', {})).sessions[0]!.secret;",
        ];
        const failure = await compile('wrong.ts', [CLIENT, ...wrong].join('\n')).catch((error: Error) => error.message);
        const lines = [...failure.matchAll(/wrong\.ts\((\d+),/g)].map(([, line]) => Number(line));
        expect([...new Set(lines)]).toEqual(wrong.map((_, i) => CLIENT.split('\n').length + 1 + i));
    });
});

/** A typed `fetch` of twenty lines, as a team would write it over generated types. */
const CLIENT = `
import type { paths } from './schema.js';

type Method = 'get' | 'post' | 'put' | 'delete';
type Operation<Path extends keyof paths, M extends Method> = Exclude<paths[Path][M], undefined>;
type Json<T> = T extends { content: { 'application/json': infer Body } } ? Body : never;
type Body<O> = O extends { requestBody?: infer R } ? Json<Exclude<R, undefined>> : never;
type Answer<O> = O extends { responses: { 200: infer R } } ? Json<R> : never;
interface Options<O> { path?: Record<string, string>; body?: Body<O>; }

const [, , url = '', login = '{}'] = process.argv;
let token = '';

async function call<Path extends keyof paths & string, M extends Method & keyof paths[Path]>(
    method: M, path: Path, { path: parameters = {}, body }: Options<Operation<Path, M>>,
): Promise<Answer<Operation<Path, M>>> {
    const address = url + path.replace(/[{](\\w+)[}]/g, (_, name: string) => encodeURIComponent(parameters[name] ?? ''));
    const response = await fetch(address, {
        method: method.toUpperCase(),
        headers: { Authorization: \`Bearer \${token}\`, ...(body !== undefined && { 'Content-Type': 'application/json' }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const answer: unknown = await response.json();
    if (!response.ok) throw Object.assign(new Error('Refused'), answer);
    return answer as Answer<Operation<Path, M>>;
}
`;

const FLOW = `
token = (await call('post', '/v1/auth', { body: JSON.parse(login) as { publicKey: string; challenge: string; signature: string } })).token;
const { session } = await call('post', '/v1/sessions', { body: { tag: 'one', metadata: 'bQ==' } });
const { messages } = await call('post', '/v3/sessions/{sessionId}/messages', {
    path: { sessionId: session.id },
    body: { messages: [{ localId: 'a', content: 'one' }, { localId: 'b', content: 'two' }] },
});
const page = await call('get', '/v3/sessions/{sessionId}/messages', { path: { sessionId: session.id } });
const { machine } = await call('post', '/v1/machines', { body: { id: 'm1', metadata: 'bQ==' } });
await call('post', '/v1/sessions/{id}/archive', { path: { id: session.id }, body: {} });
const { sessions } = await call('get', '/v1/sessions', {});
const missing = await call('get', '/v1/sessions/{id}', { path: { id: 'nothing' } }).then(() => '', (error: { code: string }) => error.code);
console.log(JSON.stringify({
    appended: messages.map(({ seq }) => seq),
    listed: page.messages.map(({ content }) => (content as { c: string }).c),
    hasMore: page.hasMore,
    sessions: sessions.length,
    active: sessions[0]?.active,
    missing,
    machine: machine.id,
    version: machine.metadataVersion,
}));
`;
