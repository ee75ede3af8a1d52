import type { Connection } from '@/realtime/connection';
import { attachedBytes } from '@/realtime/connection';
import type { AckId } from '@/realtime/protocol/codec';

/** How long a call waits for its target to register, in ms: a reconnect's grace (contract 6). */
export const RPC_GRACE_MS = 15_000;
/** How long a forwarded call waits for its answer, in ms. */
export const RPC_TIMEOUT_MS = 30_000;
/** How often a waiting call looks for its target, in ms: gateways do not report registrations. */
export const RPC_POLL_MS = 500;
/** Most methods a socket may register (contract 13). */
export const MAX_RPC_METHODS = 200;
/** Most bytes they take; the rest of the attachment's 16 KiB is for the connection and its heartbeats. */
const MAX_RPC_BYTES = 11_000;
/** Most calls a socket may have under way. */
export const MAX_RPC_CALLS = 100;

/** About how many bytes of parameters may wait for targets, of all sockets of an account. */
const MAX_WAITING_BYTES = 4_000_000;

/** The answer to a call: `result` is the target's answer as it came. */
export type RpcOutcome = { ok: true; result: unknown } | { ok: false; error: string };

/** A call under way; kept in the hub's SQLite, so that an eviction between call and answer loses nothing. */
export interface RpcCall {
    id: string;
    method: string;
    /** Connection ids. */
    caller: string;
    callerAck: AckId | null;
    target: string | null;
    /** Unix ms: end of the grace while there is no target, of the time-out after that. */
    deadline: number;
}

/** The calls under way. */
export interface RpcCalls {
    /** Keeps a call, with its parameters while it waits for a target; false when too much of an account's waits. */
    add(call: RpcCall, params: unknown): boolean;
    get(id: string): RpcCall | undefined;
    /** A target was found: it has `deadline` to answer. */
    forward(id: string, target: string, deadline: number): void;
    remove(id: string): void;
    all(): RpcCall[];
    /** The parameters of a call that waits. */
    paramsOf(id: string): unknown;
    isAnyWaiting(): boolean;
    /** Calls that this connection makes or is to answer. */
    ofConnection(connectionId: string): RpcCall[];
    /** How many calls this connection has under way. */
    countOf(callerId: string): number;
    nextDeadline(): number | null;
}

/** Opens the calls in a hub's SQLite. */
export function createRpcCalls({ sql }: DurableObjectStorage): RpcCalls {
    sql.exec(`CREATE TABLE IF NOT EXISTS RpcCall (
        id TEXT PRIMARY KEY, method TEXT NOT NULL, params TEXT, caller TEXT NOT NULL, callerAck TEXT NOT NULL,
        target TEXT, deadline INTEGER NOT NULL) WITHOUT ROWID`);
    const select = (where: string, ...values: SqlStorageValue[]) =>
        sql
            .exec<Row>(`SELECT id, method, caller, callerAck, target, deadline FROM RpcCall ${where}`, ...values)
            .toArray()
            .map(toCall);

    return {
        add({ id, method, caller, callerAck, target, deadline }, params) {
            const kept = target === null ? JSON.stringify(params ?? null) : null;
            const waiting = 'SELECT ifnull(sum(octet_length(params)), 0) AS bytes FROM RpcCall';
            if (kept !== null && sql.exec<{ bytes: number }>(waiting).one().bytes + kept.length > MAX_WAITING_BYTES) {
                return false;
            }
            sql.exec(
                'INSERT INTO RpcCall (id, method, params, caller, callerAck, target, deadline) VALUES (?, ?, ?, ?, ?, ?, ?)',
                id,
                method,
                kept,
                caller,
                JSON.stringify(callerAck),
                target,
                deadline,
            );
            return true;
        },
        get: (id) => select('WHERE id = ?', id)[0],
        forward(id, target, deadline) {
            sql.exec('UPDATE RpcCall SET target = ?, deadline = ?, params = NULL WHERE id = ?', target, deadline, id);
        },
        remove(id) {
            sql.exec('DELETE FROM RpcCall WHERE id = ?', id);
        },
        all: () => select(''),
        paramsOf(id) {
            const [row] = sql.exec<{ params: string | null }>('SELECT params FROM RpcCall WHERE id = ?', id).toArray();
            return row?.params == null ? undefined : JSON.parse(row.params);
        },
        isAnyWaiting: () => sql.exec('SELECT 1 FROM RpcCall WHERE target IS NULL LIMIT 1').toArray().length > 0,
        ofConnection: (connectionId) => select('WHERE caller = ? OR target = ?', connectionId, connectionId),
        countOf: (callerId) =>
            sql.exec<{ n: number }>('SELECT count(*) AS n FROM RpcCall WHERE caller = ?', callerId).one().n,
        nextDeadline: () =>
            sql.exec<{ at: number | null }>('SELECT min(deadline) AS at FROM RpcCall').toArray()[0]?.at ?? null,
    };
}

/** When a method was registered by this socket, Unix ms; undefined when it was not. */
export function registeredAt(connection: Connection, method: string): number | undefined {
    const name = shortName(connection, method);
    return connection.rpc?.find(([known]) => known === name)?.[1];
}

/**
 * The connection with a method registered or, with `at` null, removed.
 * @returns the reason when it may not register more
 */
export function withMethod(connection: Connection, method: string, at: number | null): Connection | string {
    const name = shortName(connection, method);
    const others = (connection.rpc ?? []).filter(([known]) => known !== name);
    if (at === null) return { ...connection, rpc: others };
    const rpc: Connection['rpc'] = [...others, [name, at]];
    if (rpc.length > MAX_RPC_METHODS) return `At most ${MAX_RPC_METHODS} methods per socket`;
    if (attachedBytes(rpc) > MAX_RPC_BYTES) return 'Too many methods with long names on this socket';
    return { ...connection, rpc };
}

/** Of several sockets that registered a method, the one that did last. */
export function newestHolder<Holder extends { at: number | undefined }>(
    holders: (Holder | null)[],
): Holder | undefined {
    return holders.reduce<Holder | undefined>(
        (best, one) => (one?.at === undefined || (best?.at ?? -1) > one.at ? best : one),
        undefined,
    );
}

/**
 * Without the id that all methods of a scoped socket share: an attachment holds 16 KiB. What has no id before its colon
 * is told apart by a NUL, which is in no method.
 */
function shortName({ sessionId, machineId }: Connection, method: string): string {
    const id = sessionId ?? machineId;
    if (id === undefined) return method;
    if (method.startsWith(`${id}:`)) return method.slice(id.length);
    return method.startsWith(':') ? `\0${method}` : method;
}

interface Row extends Record<string, SqlStorageValue> {
    id: string;
    method: string;
    caller: string;
    callerAck: string;
    target: string | null;
    deadline: number;
}

function toCall(row: Row): RpcCall {
    return {
        ...row,
        callerAck: JSON.parse(row.callerAck) as AckId | null,
    };
}
