import { ServiceError } from '@/errors';
import type { Ephemeral } from '@/realtime/bodies';
import { CLOSE, NATIVE_PING } from '@/realtime/connection';
import type { Update } from '@/realtime/updates';

/** What a subscription to an account yields (contract 8). */
export type RealtimeEvent =
    | { event: 'update'; data: Update }
    | { event: 'ephemeral'; data: Ephemeral }
    /** Updates were missed and are not to be had any more: load everything anew, as of this `seq` or later. */
    | { event: 'resync'; data: { seq: number } };

/** The first event of a subscription that begins with what comes: its id is the place to continue from (P5). */
export function beginningAt(seq: number): RealtimeEvent {
    return { event: 'ephemeral', data: { type: 'connected', seq } };
}

/** A lastSeq that no account has reached: the hub answers it with a resync. */
export const UNKNOWN_SEQ = Number.MAX_SAFE_INTEGER;

/** How often a Worker tells the hub that somebody still reads, in ms; the hub is not woken by it. */
const PING_EVERY_MS = 30_000;

/** A hub takes a stream that has been silent for so long for one whose Worker has gone, in ms. */
export const STREAM_SILENCE_MS = 100_000;

/** Characters that may wait for a client that reads too slowly, more than the hub's whole log holds. */
const MAX_WAITING = 32_000_000;

/** Frames from a hub, as a stream of their reader's own pace. */
interface Frames {
    /** The next frame; null once the reader has gone. Throws when the hub has closed the socket. */
    next(): Promise<{ event: string; data: unknown } | null>;
}

/** Reads a hub's socket until `signal` says that nobody reads any more: cleaning up later, in a `finally`, may not happen. */
export function readFrames(socket: WebSocket, signal: AbortSignal | undefined): Frames {
    const waiting: string[] = [];
    let length = 0;
    let ended: Error | null | undefined;
    let wake: (() => void) | undefined;
    const pings = setInterval(() => socket.send(NATIVE_PING), PING_EVERY_MS);

    function end(reason: Error | null): void {
        clearInterval(pings);
        ended ??= reason;
        if (ended === null) waiting.length = 0;
        wake?.();
    }
    socket.addEventListener('message', ({ data }) => {
        if (ended !== undefined || typeof data !== 'string') return;
        waiting.push(data);
        length += data.length;
        if (length > MAX_WAITING) {
            socket.close(1000);
            end(cutOff());
        }
        wake?.();
    });
    socket.addEventListener('close', ({ code, reason }) => end(refusalOf(code, reason)));
    socket.addEventListener('error', () => end(cutOff()));
    signal?.addEventListener('abort', () => {
        socket.close(1000);
        end(null);
    });
    socket.accept();
    if (signal?.aborted) {
        socket.close(1000);
        end(null);
    }

    return {
        async next() {
            while (waiting.length === 0) {
                if (ended) throw ended;
                if (ended === null || signal?.aborted) return null;
                await new Promise<void>((resolve) => {
                    wake = resolve;
                });
            }
            const text = waiting.shift() ?? '';
            length -= text.length;
            return JSON.parse(text) as { event: string; data: unknown };
        },
    };
}

/**
 * The events of a followed account, each with the account's seq reached so far; an ephemeral repeats the last one.
 * Ends when the reader has gone, throws when the hub ends it.
 */
export async function* eventsOf(frames: Frames, start: number): AsyncGenerator<[seq: number, event: RealtimeEvent]> {
    let seq = start;
    for (let frame = await frames.next(); frame; frame = await frames.next()) {
        const event = frame as RealtimeEvent;
        if (event.event === 'update') seq = Math.max(seq, event.data.seq);
        else if (event.event === 'resync') seq = event.data.seq;
        else if (event.event !== 'ephemeral') continue;
        yield [seq, { event: event.event, data: event.data } as RealtimeEvent];
    }
}

/** Anything but a refusal is a matter of coming back: a deployment, an eviction, a reader that was too slow. */
function refusalOf(code: number, reason: string): ServiceError {
    if (code === CLOSE.tokenRevoked || code === CLOSE.authFailed) return new ServiceError('UNAUTHORIZED', reason);
    if (code === CLOSE.connectionLimit) return new ServiceError('RATE_LIMITED', 'Too many open connections');
    return cutOff();
}

function cutOff(): ServiceError {
    return new Interruption('SERVICE_UNAVAILABLE', 'Interrupted: subscribe again from the last event id');
}

class Interruption extends ServiceError {}

/** Whether a stream ended only to be continued. */
export function isInterruption(error: Error): boolean {
    return error instanceof Interruption;
}
