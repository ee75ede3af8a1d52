import type { Admission } from '@/realtime/admission';
import { beginSubscription, catchUp, createAllowance, missedPage, welcome } from '@/realtime/catch-up';
import type { Connection } from '@/realtime/connection';
import type { Delivery } from '@/realtime/fan-out';
import { deliveryOf } from '@/realtime/fan-out';
import type { OutgoingEvent, Peers } from '@/realtime/peers';
import type { UpdateLog } from '@/realtime/recovery';
import type { MissedUpdates } from '@/realtime/room';
import { scopedTo } from '@/realtime/subscriptions';
import type { Beginning } from '@/realtime/subscriptions';
import type { AddressedUpdate } from '@/realtime/updates';

/** How long a missing update may hold back those after it, in ms (contract 13). */
export const GAP_HOLD_MS = 2_000;
/** A hub that rests has been silent for longer, in ms: the runtime puts objects to sleep after ten seconds. */
const AWAKE_MS = 8_000;

/**
 * What an account's sockets are sent: its updates once and in order, however they come in (P3), and where one is lost
 * the word to start over, never silence (P5, P6).
 */
export interface UpdateStream {
    /** Sends what is in order now, and holds what comes after a gap for a moment; `seq` is how far the account is. */
    learn(updates: AddressedUpdate[], seq: number): void;
    deliver(deliveries: Delivery[]): void;
    /** What a new socket is told at once: that it is connected, and what it missed if it says how far it is. */
    welcome(admission: Admission): () => Generator<OutgoingEvent[]>;
    /** Begins subscriptions of a socket; `seq` as in `Admission`. */
    follow(connection: Connection, beginnings: Beginning[], seq: number): Promise<void>;
    /** Updates after `seq` for a socket that was away; `reached` is how far the account is by the database. */
    missed(connection: Connection, seq: number, reached: number): Promise<MissedUpdates>;
    /** To be called when the gap's time is up: everybody is told to start over from here. */
    giveUpGap(): void;
}

/** What a stream needs of its hub. */
interface StreamOptions {
    log: UpdateLog;
    peers: Pick<Peers, 'deliver' | 'welcome'>;
    /** Sets the time at which to call `giveUpGap`, Unix ms; null for none. */
    setGapEnd(at: number | null): void;
    /** An update was lost, of whatever it was. */
    onLost(): void;
    now(): number;
}

/** Opens the stream over an account's log. */
export function createUpdateStream({ log, peers, setGapEnd, onLost, now }: StreamOptions): UpdateStream {
    const source = { log, allow: createAllowance() };
    const reachedBy = (seq: number) => {
        const upTo = log.head();
        return { upTo, reached: Math.max(seq, upTo), now: now() };
    };

    const stream: UpdateStream = {
        learn(updates, seq) {
            stream.deliver(log.take(updates, seq, now()).map(deliveryOf));
            const since = log.gapSince();
            setGapEnd(since === null ? null : since + GAP_HOLD_MS);
        },
        deliver(deliveries) {
            if (deliveries.length === 0) return;
            const seq = log.head();
            peers.deliver(deliveries.map((one) => (one.event === 'ephemeral' ? { ...one, seq } : one)));
        },
        welcome({ connection, seq, lastSeq, pid }) {
            const { id, accountId, clientType, sessionId, machineId, connectedAt } = connection;
            const range = reachedBy(seq);
            const facts = { clientType, sessionId, machineId, timestamp: connectedAt, seq: range.reached };
            const connected = { connectionId: id, userId: accountId, ...facts };
            return () => {
                const missed =
                    lastSeq === undefined ? undefined : catchUp(source, connection, { ...range, from: lastSeq });
                return welcome(connected, missed, pid);
            };
        },
        async follow(connection, beginnings, seq) {
            stream.learn([], seq);
            const range = reachedBy(seq);
            await Promise.all(
                beginnings.map(({ subscription, lastSeq }) => {
                    const scoped = scopedTo(connection, subscription);
                    const pages = () => beginSubscription(source, scoped, { ...range, from: lastSeq });
                    return peers.welcome(connection.id, pages, subscription.id);
                }),
            );
        },
        async missed(connection, seq, reached) {
            stream.learn([], reached);
            // An update may be on its way; it comes within moments or never.
            await reachedOrGivenUp(reached);
            return missedPage(source, connection, seq, now());
        },
        giveUpGap() {
            if (log.gapSince() === null) return;
            log.breakGap(now());
            setGapEnd(null);
            resyncAll();
            onLost();
        },
    };

    /** Where updates overtake each other all the time there is always a gap, but never an old one. */
    async function reachedOrGivenUp(seq: number): Promise<void> {
        for (let since = log.gapSince(); since !== null && log.head() < seq; since = log.gapSince()) {
            if (now() >= since + GAP_HOLD_MS) return stream.giveUpGap();
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
    }

    function resyncAll(): void {
        stream.deliver([{ event: 'resync', data: { seq: log.head() }, to: { only: { type: 'all' } } }]);
    }

    // At rest everything is out. What a crash has caught on its way to a gateway is in the log, and never comes (P6).
    if (log.keptAt() > now() - AWAKE_MS) resyncAll();
    return stream;
}
