import type { SocketHost } from '@/realtime/socket-host';
import { isPending, send } from '@/realtime/socket-host';

/**
 * Longest time between two rounds of pings, in ms. It leaves an alarm that is late 40 s before clients lose patience
 * (`PATIENCE` of the wire).
 */
export const ROUND_EVERY_MS = 50_000;
/** When the object is awake anyway, a round goes along from this time after the last one on, in ms. */
export const RIDE_ALONG_AFTER_MS = 30_000;

/**
 * Pings the sockets of a gateway where the wire has the server do that (contract 7.2): with frames that woke the object
 * anyway, else by an alarm, which is pending only while there are sockets. The answers wake nobody.
 */
export interface KeepAlive {
    /** A socket was opened. */
    opened(): void;
    /** The object is awake. */
    rideAlong(): void;
    /** Pings everybody now; what the alarm calls. */
    round(): void;
}

interface Options {
    ctx: DurableObjectState;
    host: SocketHost;
    /** What to send. */
    ping: string;
    /** When the next round is due, Unix ms; it outlives evictions, and so tells when the last one was. */
    due(): number | null;
    setDue(at: number | null): void;
    /** A client has gone without a word. */
    onDead(socket: WebSocket): void;
    now(): number;
}

/** Creates it over one alarm. */
export function createKeepAlive({ ctx, host, ping, due, setDue, onDead, now }: Options): KeepAlive {
    const lastRound = () => (due() ?? now()) - ROUND_EVERY_MS;

    /** Gone without a word: it has answered neither the last round nor the one before. */
    function isDead(socket: WebSocket, connectedAt: number): boolean {
        const heardAt = ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? 0;
        return Math.max(heardAt, connectedAt) < lastRound() - ROUND_EVERY_MS;
    }

    function round(): void {
        let open = 0;
        for (const [socket, state] of host.sockets()) {
            if (!isPending(state) && isDead(socket, state.connectedAt)) {
                onDead(socket);
                continue;
            }
            send(socket, ping);
            open += 1;
        }
        setDue(open > 0 ? now() + ROUND_EVERY_MS : null);
    }

    return {
        opened() {
            if (due() === null) setDue(now() + ROUND_EVERY_MS);
        },
        rideAlong() {
            if (due() !== null && now() >= lastRound() + RIDE_ALONG_AFTER_MS) round();
        },
        round,
    };
}
