import type { Connection } from '@/realtime/connection';
import type { Peers } from '@/realtime/peers';
import type { AckId } from '@/realtime/protocol/codec';
import type { RpcCall, RpcCalls, RpcOutcome } from '@/realtime/rpc';
import { MAX_RPC_CALLS, RPC_GRACE_MS, RPC_POLL_MS, RPC_TIMEOUT_MS } from '@/realtime/rpc';

/** Connects RPC callers with the sockets that answer (contract 6). */
export interface Switchboard {
    call(caller: Connection, ackId: AckId | null, method: string, params: unknown): Promise<void>;
    cancel(callerId: string, ackId: AckId): void;
    answer(targetId: string, callId: string, answer: unknown): void;
    /** A method was registered: calls that wait for it go out. */
    registered(method: string): Promise<void>;
    /** A socket is gone: calls to it fail, its own are dropped. */
    gone(connectionId: string): void;
    /** Forwards and times out what is due. */
    tick(): Promise<void>;
}

/** What a switchboard needs of its hub. */
interface SwitchboardOptions {
    peers: Peers;
    calls: RpcCalls;
    /** Sets the time at which to call `tick`, Unix ms; null when no call is under way. */
    setDue(at: number | null): void;
    now(): number;
}

/** Creates the switchboard over the sockets of an account. */
export function createSwitchboard({ peers, calls, setDue, now }: SwitchboardOptions): Switchboard {
    function finish(call: RpcCall, outcome: RpcOutcome): void {
        calls.remove(call.id);
        reply(call, outcome);
    }

    function reply({ caller, callerAck }: Pick<RpcCall, 'caller' | 'callerAck'>, outcome: RpcOutcome): void {
        if (callerAck !== null) peers.sendAck(caller, callerAck, outcome);
        // Who asked for no answer hears of a failure all the same.
        else if (!outcome.ok)
            peers.send(caller, [{ event: 'rpc-error', data: { type: 'call', error: outcome.error } }]);
    }

    function forward(call: RpcCall, target: Connection): void {
        const params = calls.paramsOf(call.id);
        calls.forward(call.id, target.id, now() + RPC_TIMEOUT_MS);
        ask(call, params, target);
    }

    function ask({ id, method }: RpcCall, params: unknown, target: Connection): void {
        peers.send(target.id, [{ event: 'rpc-request', data: { method, params }, ackId: id }]);
    }

    /** Sends waiting calls of a method out if somebody answers it now. */
    async function connect(waiting: RpcCall[]): Promise<void> {
        for (const call of waiting) {
            const target = await peers.holderOf(call.method);
            // While the gateways were asked, the call may have been cancelled or sent out by somebody else.
            if (!target || calls.get(call.id)?.target !== null) continue;
            if (target.id === call.caller) finish(call, SAME_SOCKET);
            else forward(call, target);
        }
    }

    const waitingCalls = () => calls.all().filter(({ target }) => target === null);

    function arm(): void {
        const deadline = calls.nextDeadline();
        const isWaiting = deadline !== null && calls.isAnyWaiting();
        setDue(isWaiting ? Math.min(deadline, now() + RPC_POLL_MS) : deadline);
    }

    async function begin(call: RpcCall, params: unknown): Promise<void> {
        if (calls.countOf(call.caller) >= MAX_RPC_CALLS) return reply(call, TOO_MANY);
        const target = await peers.holderOf(call.method);
        if (target?.id === call.caller) return reply(call, SAME_SOCKET);
        if (!target) {
            if (!calls.add(call, params)) reply(call, TOO_MANY);
            return;
        }
        calls.add({ ...call, target: target.id, deadline: now() + RPC_TIMEOUT_MS }, params);
        ask(call, params, target);
    }

    return {
        async call({ id: caller }, callerAck, method, params) {
            const deadline = now() + RPC_GRACE_MS;
            await begin({ id: newCallId(), method, caller, callerAck, target: null, deadline }, params);
            arm();
        },
        cancel(callerId, ackId) {
            const call = calls
                .ofConnection(callerId)
                .find((one) => one.caller === callerId && String(one.callerAck) === String(ackId));
            if (call) finish(call, { ok: false, error: 'RPC call cancelled' });
            arm();
        },
        answer(targetId, callId, answer) {
            const call = calls.get(callId);
            // Only the socket that was asked may answer.
            if (call?.target === targetId) finish(call, { ok: true, result: answer });
            arm();
        },
        async registered(method) {
            await connect(waitingCalls().filter((call) => call.method === method));
            arm();
        },
        gone(connectionId) {
            for (const call of calls.ofConnection(connectionId)) {
                if (call.caller === connectionId) calls.remove(call.id);
                else finish(call, { ok: false, error: 'RPC target disconnected' });
            }
            arm();
        },
        async tick() {
            await connect(waitingCalls());
            for (const call of calls.all()) {
                if (!peers.find(call.caller)) calls.remove(call.id);
                else if (call.target !== null && !peers.find(call.target)) {
                    finish(call, { ok: false, error: 'RPC target disconnected' });
                } else if (call.deadline <= now()) {
                    finish(call, {
                        ok: false,
                        error: call.target === null ? 'RPC method not available' : 'operation has timed out',
                    });
                }
            }
            arm();
        },
    };
}

const TOO_MANY = { ok: false, error: 'Too many RPC calls under way' } as const;
const SAME_SOCKET = { ok: false, error: 'Cannot call RPC on the same socket' } as const;

/** In digits, because Socket.IO's ack ids are numbers. */
function newCallId(): string {
    const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
    return String((high % 2 ** 20) * 2 ** 32 + low);
}
