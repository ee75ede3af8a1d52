/**
 * `npm run demo`: what the server is for, done once on real input and checked at every step. A phone and a stranger
 * log in, a terminal pairs with the phone, both write into one encrypted session by REST and by tRPC, read the same
 * history and decrypt it; then all of it live on WebSockets; the stranger finds nothing. Leaves its two accounts behind:
 * they are nobody's.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { TRPCClientError } from '@trpc/client';
import { encodeBase64 } from '@/client/base64';
import { CommandError, runCommand, say } from './lib/console.mjs';
import { connect, same } from './lib/demo-client';
import type { Server } from './lib/demo-client';
import { goLive } from './lib/demo-live';
import {
    authRequest,
    contentKeyPair,
    decryptJson,
    encryptJson,
    openPairingResponseV2,
    pairingResponseV2,
    terminalKeyPair,
    unwrapDataKey,
    wrapDataKey,
} from '@/client/crypto';

interface Session {
    id: string;
    seq: number;
    metadata: string;
    dataEncryptionKey: string | null;
}

interface Receipt {
    id: string;
    seq: number;
    localId: string | null;
}

interface Message extends Receipt {
    content: { t: string; c: string };
    createdAt: number;
    updatedAt: number;
}

/** Someone with an account: the secret never leaves the device. */
interface Phone {
    secret: Uint8Array;
    content: ReturnType<typeof contentKeyPair>;
    token: string;
}

interface Terminal {
    contentPublicKey: Uint8Array;
    token: string;
}

let steps = 0;
const step = (text: string) => say(`${String(++steps).padStart(2)}. ${text}`);

await runCommand(async () => {
    const startedAt = Date.now();
    const server = await connect(process.argv[2] ?? process.env.HAPPY_SERVER_URL ?? 'http://localhost:8787');
    say(`Two devices and a stranger at ${server.url}\n`);

    const phone = await login(server, 'The phone');
    const stranger = await login(server, 'A stranger');
    const terminal = await pair(server, phone);
    const { session, dataKey } = await createSession(server, terminal);
    const sent = await exchangeMessages(server, { phone, terminal, session, dataKey });
    await readHistory(server, { phone, terminal, session, dataKey, sent });
    await staysOut(server, stranger, session);
    await goLive(server, { phone, terminal, stranger, session, dataKey, step });

    say(`\nEverything is as it should be (${steps} steps, ${Date.now() - startedAt} ms).`);
});

/** Logs a new account in with a challenge signed by its Ed25519 key. */
async function login(server: Server, who: string): Promise<Phone> {
    const secret = randomBytes(32);
    const body = authRequest(secret);
    const { token } = await server.rest<{ token: string }>('POST', '/v1/auth', { body });
    step(`${who} signed a challenge of 32 bytes with its key ${short(body.publicKey)} and got a token.`);
    return { secret, content: contentKeyPair(secret), token };
}

/** The terminal shows a QR code, the phone answers it; the server only carries the sealed answer. */
async function pair(server: Server, phone: Phone): Promise<Terminal> {
    const keys = terminalKeyPair();
    const publicKey = encodeBase64(keys.publicKey);
    const ask = () =>
        server.rest<{ state: string; token?: string; response?: string }>('POST', '/v1/auth/request', {
            body: { publicKey, supportsV2: true },
        });
    const status = () => server.rest('GET', `/v1/auth/request/status?publicKey=${encodeURIComponent(publicKey)}`);

    same('The first answer to the terminal', await ask(), { state: 'requested' });
    same('The status the phone sees', await status(), { status: 'pending', supportsV2: true });
    step(`A terminal asked to be paired with its key ${short(publicKey)}; the phone sees that it waits.`);

    const response = pairingResponseV2(phone.content.publicKey, keys.publicKey);
    await server.rest('POST', '/v1/auth/response', { token: phone.token, body: { publicKey, response } });
    step(`The phone sealed its content public key for the terminal (${response.length} characters) and approved.`);

    const answer = await ask();
    same('The state after the approval', answer.state, 'authorized');
    same('The sealed answer on its way through the server', answer.response, response);
    const contentPublicKey = openPairingResponseV2(answer.response ?? '', keys.secretKey);
    same("The phone's content public key in the terminal's hands", hex(contentPublicKey), hex(phone.content.publicKey));
    if (!contentPublicKey || !answer.token) throw new CommandError('The terminal got no token.');
    same("The account in the terminal's token", accountOf(answer.token), accountOf(phone.token));
    step('The terminal got a token for the same account, opened the answer and holds the same content public key.');
    return { contentPublicKey, token: answer.token };
}

/** A session of the terminal: metadata encrypted, its data key wrapped so that only the phone can open it. */
async function createSession(server: Server, terminal: Terminal) {
    const dataKey = randomBytes(32);
    const metadata = encryptJson({ path: '/home/demo', host: 'terminal' }, dataKey);
    const dataEncryptionKey = wrapDataKey(dataKey, terminal.contentPublicKey);
    const create = (tag: string) =>
        server.rest<{ session: Session }>('POST', '/v1/sessions', {
            token: terminal.token,
            body: { tag, metadata, dataEncryptionKey },
        });
    const tag = randomUUID();
    const { session } = await create(tag);
    same('The metadata as stored', session.metadata, metadata);
    same('The wrapped data key as stored', session.dataEncryptionKey, dataEncryptionKey);
    same('The session that the same tag gives again', (await create(tag)).session, session);
    step(`The terminal created session ${session.id}; the same tag gives the same session again.`);
    return { session, dataKey };
}

interface Room {
    phone: Phone;
    terminal: Terminal;
    session: Session;
    dataKey: Uint8Array;
}

/** Both sides write at once, by three doors; returns what was written, by localId. */
async function exchangeMessages(server: Server, { phone, terminal, session, dataKey }: Room) {
    const compose = (text: string) => ({ text, localId: randomUUID(), content: encryptJson({ text }, dataKey) });
    const byRest = ['Building …', '3 tests failed 🙈', 'All tests pass.'].map(compose);
    const byTrpc = ['Which ones?', 'Go on, please.'].map(compose);
    const byOldRest = compose('Thanks — naïve, but it works.');
    const wire = (items: typeof byRest) => items.map(({ localId, content }) => ({ localId, content }));

    const messagesPath = `/sessions/${session.id}/messages`;
    const sendByRest = () =>
        server.rest<{ messages: Receipt[] }>('POST', `/v3${messagesPath}`, {
            token: terminal.token,
            body: { messages: wire(byRest) },
        });
    const sendByTrpc = () =>
        server.trpc(phone.token).messages.append.mutate({ sessionId: session.id, messages: wire(byTrpc) });
    const sendByOldRest = () =>
        server.rest<{ message: Receipt }>('POST', `/v1${messagesPath}`, {
            token: phone.token,
            body: { localId: byOldRest.localId, content: { t: 'encrypted', c: byOldRest.content } },
        });

    const [first, second, { message: third }] = await Promise.all([sendByRest(), sendByTrpc(), sendByOldRest()]);
    const receipts: Receipt[] = [...first.messages, ...second.messages, third];
    const seqs = receipts.map(({ seq }) => seq);
    same(
        'The numbers of the messages',
        seqs.toSorted((a, b) => a - b),
        [1, 2, 3, 4, 5, 6],
    );
    step(
        `At once: terminal sent ${byRest.length} by REST v3 (seq ${listed(first.messages)}), ` +
            `phone ${byTrpc.length} by tRPC (seq ${listed(second.messages)}) and 1 by REST v1 (seq ${third.seq}).`,
    );

    same('A repeated REST v3 request', await sendByRest(), first);
    same('A repeated tRPC call', await sendByTrpc(), second);
    same('A repeated REST v1 request', (await sendByOldRest()).message, third);
    step('All three sent again, as after a lost answer: the same ids and numbers came back, nothing was stored twice.');
    return new Map([...byRest, ...byTrpc, byOldRest].map(({ localId, text }) => [localId, text]));
}

/** Terminal by REST page by page, phone by tRPC: one history, and both can read it. */
async function readHistory(
    server: Server,
    { phone, terminal, session, dataKey, sent }: Room & { sent: Map<string, string> },
) {
    const byRest: Message[] = [];
    let pages = 0;
    for (let hasMore = true; hasMore; pages++) {
        const after = byRest.at(-1)?.seq ?? 0;
        const page = await server.rest<{ messages: Message[]; hasMore: boolean }>(
            'GET',
            `/v3/sessions/${session.id}/messages?after_seq=${after}&limit=4`,
            { token: terminal.token },
        );
        byRest.push(...page.messages);
        hasMore = page.hasMore && page.messages.length > 0;
    }
    const trpc = server.trpc(phone.token);
    const [{ messages: byTrpc }, { session: seen }] = await Promise.all([
        trpc.messages.list.query({ sessionId: session.id, after_seq: 0, limit: 100 }),
        trpc.sessions.get.query({ id: session.id }),
    ]);
    const { messages: newestFirst } = await server.rest<{ messages: Message[] }>(
        'GET',
        `/v1/sessions/${session.id}/messages`,
        { token: phone.token },
    );
    same('The history by tRPC against the one by REST v3', byTrpc, byRest);
    same('The history by REST v1, newest first', newestFirst.map(numbered), byRest.toReversed().map(numbered));
    same('The number of messages', byRest.length, sent.size);
    same('The number of the last message in the session', seen.seq, sent.size);
    step(`Both read the same ${byRest.length} messages: the terminal by REST in ${pages} pages, the phone by tRPC.`);

    const phoneKey = unwrapDataKey(seen.dataEncryptionKey ?? '', phone.content.secretKey);
    same("The data key that the phone unwrapped against the terminal's", hex(phoneKey), hex(dataKey));
    const texts = byRest.map(({ localId }) => ({ text: sent.get(localId ?? '') }));
    const decrypt = (messages: Message[], key: Uint8Array) =>
        messages.map(({ content }) => decryptJson(content.c, key));
    same('What the terminal decrypts', decrypt(byRest, dataKey), texts);
    same('What the phone decrypts', decrypt(byTrpc, phoneKey ?? dataKey), texts);
    same('The metadata that the phone decrypts', decryptJson(seen.metadata, phoneKey ?? dataKey), {
        path: '/home/demo',
        host: 'terminal',
    });
    step('The phone unwrapped the data key; both decrypt every message to what was written:');
    for (const [index, { text }] of texts.entries()) say(`      ${index + 1}  ${text}`);
}

/** Another account must not even learn that the session exists. */
async function staysOut(server: Server, stranger: Phone, session: Session) {
    const denied = { error: 'Session not found', code: 'NOT_FOUND' };
    const refused = async (method: 'GET' | 'POST', path: string, body?: unknown) => {
        const options = { token: stranger.token, status: 404, body };
        const { error, code } = await server.rest<typeof denied>(method, path, options);
        same(`The answer to the stranger's ${method} ${path}`, { error, code }, denied);
    };
    await refused('GET', `/v1/sessions/${session.id}`);
    await refused('GET', `/v3/sessions/${session.id}/messages`);
    await refused('POST', `/v3/sessions/${session.id}/messages`, {
        messages: [{ localId: randomUUID(), content: 'AA==' }],
    });
    const failure: unknown = await server
        .trpc(stranger.token)
        .sessions.get.query({ id: session.id })
        .then(() => 'an answer')
        .catch((error: unknown) => (error instanceof TRPCClientError ? error.data?.code : error));
    same("The answer to the stranger's tRPC call", failure, 'NOT_FOUND');
    await server.rest('GET', `/v1/sessions/${session.id}`, { status: 401 });
    step('The stranger gets 404 for the session and its messages, by REST and tRPC; without a token it is 401.');
}

function accountOf(token: string): unknown {
    const payload: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    return payload && typeof payload === 'object' && 'sub' in payload ? payload.sub : undefined;
}

function hex(bytes: Uint8Array | null): string | null {
    return bytes && Buffer.from(bytes).toString('hex');
}

function listed(messages: Receipt[]): string {
    return messages.map(({ seq }) => seq).join(', ');
}

function numbered({ id, seq, content }: Message) {
    return { id, seq, content };
}

function short(key: string): string {
    return `${key.slice(0, 8)}…`;
}
