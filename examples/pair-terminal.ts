/**
 * Lets a terminal into an account: npx tsx examples/pair-terminal.ts http://localhost:8787
 * Open the link it prints in the Happy app (as a QR code, for instance). Then it makes an encrypted session.
 */
import { randomUUID } from 'node:crypto';
import { createHappyClient, encryptJson, randomBytes, wrapDataKey } from 'happy-server-workers/client';

const [url = 'http://localhost:8787'] = process.argv.slice(2);
const server = createHappyClient({ url });

const pairing = await server.requestPairing();
console.log(`Open this link in the Happy app:\n${pairing.link}`);
const { token, contentPublicKey } = await pairing.wait({ signal: AbortSignal.timeout(15 * 60_000) });
const terminal = server.withToken(token);
console.log('Let in.');

// The session's key is wrapped for the account: the server sees ciphertext only.
const dataKey = randomBytes(32);
const { session } = await terminal.api.sessions.create.mutate({
    tag: randomUUID(),
    metadata: encryptJson({ path: process.cwd(), host: 'example' }, dataKey),
    dataEncryptionKey: wrapDataKey(dataKey, contentPublicKey),
});
const content = { t: 'encrypted', c: encryptJson({ role: 'user', text: 'Hello from a terminal' }, dataKey) };
const { message } = await terminal.api.messages.create.mutate({ id: session.id, localId: randomUUID(), content });
console.log(`Session ${session.id} has message ${message.seq}.`);
