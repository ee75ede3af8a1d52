import { randomUUID } from 'node:crypto';
import { decryptJson, encryptJson } from '@/client/crypto';
import { CommandError } from './console.mjs';
import { same } from './demo-client';
import type { Server } from './demo-client';
import { openSocket } from './demo-socket';
import type { Frame, Socket } from './demo-socket';

interface Live {
    phone: { token: string };
    terminal: { token: string };
    stranger: { token: string };
    session: { id: string };
    dataKey: Uint8Array;
    /** Tells what was done. */
    step: (text: string) => void;
}

/** Phone and daemon on real sockets: live messages, a remote call, a lost connection; a stranger hears nothing. */
export async function goLive(server: Server, live: Live): Promise<void> {
    const { phone, terminal, stranger, session, step } = live;
    const machineId = randomUUID();
    await server.rest('POST', '/v1/machines', {
        token: terminal.token,
        body: { id: machineId, metadata: encryptJson({ host: 'terminal' }, live.dataKey) },
    });
    const daemon = await openSocket(server.url, {
        token: terminal.token,
        query: { clientType: 'machine-scoped', machineId },
    });
    const cli = await openSocket(server.url, {
        auth: { token: terminal.token, clientType: 'session-scoped', sessionId: session.id },
    });
    const outsider = await openSocket(server.url, { token: stranger.token });
    const app = await openWithTicket(server, phone.token);
    step(
        'Daemon (by header), session (by its first message) and phone (by a ticket that works once) have a WebSocket.',
    );

    const seq = await deliverLive(app, cli, live);
    await callRemote(app, daemon, machineId, live);
    await loseConnection(server, app, cli, seq, live);

    same(
        'What the stranger heard meanwhile',
        outsider.frames.map(({ event }) => event),
        ['connected'],
    );
    step('The stranger had a WebSocket of its own all the time and heard nothing of it.');
    await Promise.all([daemon.close(), cli.close(), outsider.close()]);
}

async function openWithTicket(server: Server, token: string, query: Record<string, string> = {}): Promise<Socket> {
    const { ticket } = await server.rest<{ ticket: string }>('POST', '/v1/websocket/ticket', { token });
    return openSocket(server.url, { query: { ticket, ...query } });
}

/** The session writes over its socket; the phone has it at once and can read it. Returns the phone's last seq. */
async function deliverLive(app: Socket, cli: Socket, { session, dataKey, step }: Live): Promise<number> {
    const localId = randomUUID();
    const startedAt = performance.now();
    const ack = await write(cli, session.id, localId, { text: 'Live from the terminal 🚀' }, dataKey);
    const update = await app.next('the live message', isMessage(localId));
    const tookMs = Math.round(performance.now() - startedAt);
    same('The number of the live message', numberOf(update), ack.seq);
    same('What the phone reads', decryptJson(contentOf(update), dataKey), { text: 'Live from the terminal 🚀' });
    same('The echo to the sender', cli.updates(), []);
    step(
        `A message of the session was on the phone ${tookMs} ms after it was sent, decrypted; its sender got no echo.`,
    );
    return update.data.seq as number;
}

/** The phone calls a method of the daemon; parameters and answer are encrypted on the way. */
async function callRemote(app: Socket, daemon: Socket, machineId: string, { dataKey, step }: Live): Promise<void> {
    const method = `${machineId}:list-files`;
    daemon.send({ event: 'rpc-register', data: { method } });
    await daemon.next('rpc-registered', ({ event, data }) => event === 'rpc-registered' && data.method === method);

    const params = encryptJson({ path: '/home/demo' }, dataKey);
    const answering = daemon
        .next('rpc-request', ({ event }) => event === 'rpc-request')
        .then(({ data, ackId }) => {
            same('The call as the daemon gets it', data, { method, params });
            const asked = decryptJson(String(data.params), dataKey);
            daemon.send({ event: 'rpc-response', ackId, ack: encryptJson({ asked, files: ['README.md'] }, dataKey) });
        });
    const [answer] = await Promise.all([
        app.request<{ ok: boolean; result: string }>('rpc-call', { method, params }),
        answering,
    ]);
    same('Whether the call worked', answer.ok, true);
    same('The answer', decryptJson(answer.result, dataKey), { asked: { path: '/home/demo' }, files: ['README.md'] });
    step('The phone called a method of the daemon and got its encrypted answer.');
}

/** The phone's connection breaks; what happens meanwhile comes when it is back, exactly and in order. */
async function loseConnection(server: Server, app: Socket, cli: Socket, lastSeq: number, live: Live): Promise<void> {
    const { phone, session, dataKey, step } = live;
    await app.drop();
    const missed = [randomUUID(), randomUUID(), randomUUID()];
    for (const [i, localId] of missed.entries())
        await write(cli, session.id, localId, { text: `Missed ${i + 1}` }, dataKey);
    const back = await openWithTicket(server, phone.token, { lastSeq: String(lastSeq) });
    await back.next('the last missed message', isMessage(missed.at(-1) ?? ''));
    const seqs = back.updates().map(({ seq }) => seq);
    same('The numbers of the missed updates', seqs, [lastSeq + 1, lastSeq + 2, lastSeq + 3]);
    const texts = back.frames
        .filter(({ event }) => event === 'update')
        .map((frame) => decryptJson(contentOf(frame), dataKey));
    same(
        'What the phone reads',
        texts,
        missed.map((_, i) => ({ text: `Missed ${i + 1}` })),
    );
    step(
        `The phone lost its connection, came back with the last seq it had (${lastSeq}) and got the ${missed.length} updates it had missed.`,
    );
    await back.close();
}

async function write(cli: Socket, sid: string, localId: string, value: object, dataKey: Uint8Array) {
    const ack = await cli.request<{ result: string; seq: number }>('message', {
        sid,
        localId,
        message: encryptJson(value, dataKey),
    });
    if (ack.result !== 'success') throw new CommandError('The server did not take a message.', [JSON.stringify(ack)]);
    return ack;
}

interface MessageBody {
    t: string;
    message: { localId: string; seq: number; content: { c: string } };
}

function bodyOf({ data }: Frame): MessageBody {
    return data.body as MessageBody;
}

function isMessage(localId: string) {
    return (frame: Frame) =>
        frame.event === 'update' && bodyOf(frame).t === 'new-message' && bodyOf(frame).message.localId === localId;
}

function numberOf(frame: Frame): number {
    return bodyOf(frame).message.seq;
}

function contentOf(frame: Frame): string {
    return bodyOf(frame).message.content.c;
}
