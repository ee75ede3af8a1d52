import type * as z from 'zod';
import type { AccountContext } from '@/context';
import type { Connection } from '@/realtime/connection';

/** What an event handler may touch: an account's services, and the socket the event came from. */
export interface SocketContext extends AccountContext {
    connection: Connection;
}

/** A client event that a service answers, as REST does (contract 6). */
export interface SocketEvent {
    /** Checks and runs it; the returned value is the acknowledgement. */
    run(ctx: SocketContext, data: unknown): Promise<unknown>;
    /** The acknowledgement when it fails. */
    failure(message: string): unknown;
}

/** Thrown for data that does not fit an event's schema. */
export class InvalidParameters extends Error {}

/** Defines an event: its schema, what it does, how it says that it failed. */
export function socketEvent<Schema extends z.ZodType>(
    input: Schema,
    run: (ctx: SocketContext, input: z.output<Schema>) => Promise<unknown>,
    failure: (message: string) => unknown = resultError,
): SocketEvent {
    return {
        failure,
        run(ctx, data) {
            const parsed = input.safeParse(data);
            if (!parsed.success) throw new InvalidParameters('Invalid parameters');
            return run(ctx, parsed.data);
        },
    };
}

/** `{result:'error', message}`: how most events fail. */
export function resultError(message: string) {
    return { result: 'error', message };
}

/** `{success:false, error}`. */
export function successFalse(error: string) {
    return { success: false, error };
}

/** `{ok:false, error}`. */
export function okFalse(error: string) {
    return { ok: false, error };
}
