import { WebSocket } from 'undici';
import type { Client } from './client';

/** A frame of the native protocol. */
export interface Frame {
    event: string;
    data: unknown;
    ackId?: string;
    ack?: unknown;
}

/** A native WebSocket of an account. */
export interface Socket {
    /** Called with every frame that answers nothing. */
    onFrame: (frame: Frame) => void;
    send(frame: object): void;
    /** Sends an event and waits for its acknowledgement. */
    request(event: string, data: unknown): Promise<unknown>;
    /** Sends one of the texts that the runtime answers by itself, and waits for the answer. */
    ping(): Promise<void>;
    close(): Promise<void>;
}

/** Opens a socket and waits until it is greeted; user-scoped unless the query says otherwise. */
export function openSocket({ origin, token }: Client, query: Record<string, string> = {}): Promise<Socket> {
    const url = `${origin.replace('http', 'ws')}/v1/updates?${new URLSearchParams(query).toString()}`;
    const raw = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
    const waiting = new Map<string, (ack: unknown) => void>();
    let asked = 0;
    let greeted = (_: Socket) => {};
    let ponged = () => {};
    const socket: Socket = {
        onFrame: () => {},
        send: (frame) => raw.send(JSON.stringify(frame)),
        request(event, data) {
            const ackId = String((asked += 1));
            socket.send({ event, data, ackId });
            return new Promise((resolve) => {
                waiting.set(ackId, resolve);
            });
        },
        ping() {
            raw.send('{"event":"ping"}');
            return new Promise((resolve) => {
                ponged = resolve;
            });
        },
        close() {
            raw.close();
            return new Promise((resolve) => {
                raw.addEventListener('close', () => resolve());
            });
        },
    };
    raw.addEventListener('message', ({ data }) => {
        const frame = JSON.parse(data as string) as Frame;
        const answered = frame.event === 'ack' && frame.ackId !== undefined ? waiting.get(frame.ackId) : undefined;
        if (answered && frame.ackId !== undefined) {
            waiting.delete(frame.ackId);
            answered(frame.ack);
        } else if (frame.event === 'connected') greeted(socket);
        else if (frame.event === 'pong') ponged();
        else socket.onFrame(frame);
    });
    return new Promise((resolve, reject) => {
        greeted = resolve;
        raw.addEventListener('close', ({ code, reason }) => reject(new Error(`Closed with ${code} ${reason}`)));
    });
}
