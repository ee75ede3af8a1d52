/**
 * `npm run db:seed`: two people with something of everything, written through the public API of a running server and read
 * back, so that it is a smoke test, too. On this machine their keys are always the same ones, and doing it again changes
 * nothing; anywhere else they are made anew, since known keys would let anybody in.
 */
import { createHash } from 'node:crypto';
import {
    contentKeyPair,
    createHappyClient,
    decryptJson,
    encryptJson,
    randomBytes,
    unwrapDataKey,
    wrapDataKey,
} from '@/client';
import type { HappyClient } from '@/client';
import { readArgs } from './lib/command-args.mjs';
import { runCommand, say } from './lib/console.mjs';
import { connect, same } from './lib/demo-client';

interface Person {
    name: string;
    secret: Uint8Array;
    api: HappyClient['api'];
    id: string;
}

const usage = `npm run db:seed -- [URL]

  URL  the server to write to (default: the variable HAPPY_SERVER_URL, else http://localhost:8787)`;

const DATA_KEY_BYTES = 32;

await runCommand(async () => {
    const { positionals } = readArgs(process.argv.slice(2), {}, usage, 1);
    const { url } = await connect(positionals[0] ?? process.env.HAPPY_SERVER_URL ?? 'http://localhost:8787');
    const isLocal = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:|$)/.test(url);

    const jane = await login(url, 'Jane', isLocal);
    const john = await login(url, 'John', isLocal);
    const sessionId = await seedSession(jane);
    const machineId = await seedMachine(jane);
    await seedAccessKey(jane, sessionId, machineId);
    await seedArtifact(jane);
    await seedSettings(jane);
    await befriend(jane, john);

    say(`\n${url} has the two now. To be one of them, log in with a secret key (base64url):`);
    for (const { name, secret } of [jane, john]) say(`  ${name}  ${Buffer.from(secret).toString('base64url')}`);
});

/** The key of a person on this machine, or one that nobody knows. */
function secretOf(name: string, isLocal: boolean): Uint8Array {
    return isLocal ? createHash('sha256').update(`happy seed ${name}`).digest() : randomBytes(DATA_KEY_BYTES);
}

/** A key that stays the same for a person and a purpose, so that seeding again finds what it wrote. */
function dataKeyOf({ secret }: Person, purpose: string): Uint8Array {
    return createHash('sha256').update(secret).update(purpose).digest();
}

async function login(url: string, name: string, isLocal: boolean): Promise<Person> {
    const secret = secretOf(name, isLocal);
    const { api } = await createHappyClient({ url }).login(secret);
    const { id } = await api.account.profile.query({});
    // Names are unique on a server, and somebody may have this one.
    const username = isLocal ? name.toLowerCase() : `${name.toLowerCase()}-${id.slice(-8)}`;
    await api.account.updateProfile.mutate({ firstName: name, lastName: 'Doe', username });
    const profile = await api.account.profile.query({});
    same(`${name}'s profile`, [profile.firstName, profile.username], [name, username]);
    say(`${name} has an account (${username}).`);
    return { name, secret, api, id };
}

async function seedSession(person: Person): Promise<string> {
    const { api, secret } = person;
    const content = contentKeyPair(secret);
    const dataKey = dataKeyOf(person, 'session');
    const { session } = await api.sessions.create.mutate({
        tag: 'seed',
        metadata: encryptJson({ path: '/home/jane/project', host: 'laptop' }, dataKey),
        agentState: encryptJson({ controlledByUser: false }, dataKey),
        dataEncryptionKey: wrapDataKey(dataKey, content.publicKey),
    });
    const texts = ['Add a test for the parser.', 'Done: three cases, one of them found a bug.', 'Mend it, please.'];
    await api.messages.append.mutate({
        sessionId: session.id,
        messages: texts.map((text, index) => ({
            localId: `seed-${index}`,
            content: encryptJson({ role: index === 1 ? 'agent' : 'user', text }, dataKey),
        })),
    });
    const { messages } = await api.messages.list.query({ sessionId: session.id, limit: texts.length });
    const key = unwrapDataKey(session.dataEncryptionKey ?? '', content.secretKey) ?? new Uint8Array();
    const read = messages.map(({ content: { c } }) => (decryptJson(c, key) as { text: string } | null)?.text);
    same('The messages of the session', read, texts);
    say(`  a session with ${texts.length} messages`);
    return session.id;
}

async function seedMachine({ api, secret, ...person }: Person): Promise<string> {
    const id = `seed-${person.id.slice(-8)}`;
    const dataKey = dataKeyOf({ api, secret, ...person }, 'machine');
    await api.machines.create.mutate({
        id,
        metadata: encryptJson({ host: 'laptop', platform: 'linux' }, dataKey),
        dataEncryptionKey: wrapDataKey(dataKey, contentKeyPair(secret).publicKey),
    });
    const { machines } = await api.machines.list.query({});
    same('The machines', machines.filter((machine) => machine.id === id).length, 1);
    say('  a machine');
    return id;
}

async function seedAccessKey(person: Person, sessionId: string, machineId: string): Promise<void> {
    const { api } = person;
    const { accessKey } = await api.accessKeys.get.query({ sessionId, machineId });
    const data = accessKey?.data ?? encryptJson('the key', dataKeyOf(person, 'access'));
    if (!accessKey) await api.accessKeys.create.mutate({ sessionId, machineId, data });
    const stored = await api.accessKeys.get.query({ sessionId, machineId });
    same('The access key', stored.accessKey?.data, data);
    say('  an access key of the machine to the session');
}

async function seedArtifact(person: Person): Promise<void> {
    const { api, id: accountId, secret } = person;
    const id = `seed-${accountId}`;
    const dataKey = dataKeyOf(person, 'artifact');
    await api.artifacts.create.mutate({
        id,
        header: encryptJson({ title: 'Notes' }, dataKey),
        body: encryptJson({ text: 'What to do next' }, dataKey),
        dataEncryptionKey: wrapDataKey(dataKey, contentKeyPair(secret).publicKey),
    });
    const { artifact } = await api.artifacts.get.query({ id });
    same('The artifact', decryptJson(artifact.body, dataKey), { text: 'What to do next' });
    say('  an artifact');
}

async function seedSettings(person: Person): Promise<void> {
    const { api } = person;
    const value = Buffer.from('dark').toString('base64');
    // The second time the key is there already, and the server says so.
    await api.kv.mutate.mutate({ mutations: [{ key: 'seed:theme', value, version: -1 }] });
    same('The stored value', (await api.kv.get.query({ key: 'seed:theme' })).value, value);

    const { settings, settingsVersion } = await api.account.settings.query({});
    if (settings === null) {
        const next = encryptJson({ theme: 'dark' }, dataKeyOf(person, 'settings'));
        await api.account.updateSettings.mutate({ settings: next, expectedVersion: settingsVersion });
    }
    const stored = await api.account.settings.query({});
    same('The settings', decryptJson(stored.settings ?? '', dataKeyOf(person, 'settings')), { theme: 'dark' });
    say('  settings and a stored value');
}

async function befriend(one: Person, other: Person): Promise<void> {
    await one.api.friends.add.mutate({ uid: other.id });
    await other.api.friends.add.mutate({ uid: one.id });
    const { friends } = await one.api.friends.list.query({});
    same('The friends', friends.find(({ id }) => id === other.id)?.status, 'friend');
    const { items } = await other.api.feed.list.query({});
    same('The feed', items.length > 0, true);
    say(`${one.name} and ${other.name} are friends, and their feeds tell it.`);
}
