import type { TRPCClient } from '@trpc/client';
import type { inferRouterInputs, inferRouterOutputs } from '@trpc/server';
import type { AppRouter } from '@/client/app-router';
import { toHappyError } from '@/client/errors';
import type { HappyError } from '@/client/errors';

type Input = Exclude<inferRouterInputs<AppRouter>['realtime']['updates'], void | null>;
type Output = inferRouterOutputs<AppRouter>['realtime']['updates'];
type TrackedEvent = Output extends AsyncIterable<infer Event, unknown, unknown> ? Event : never;

/** What happens in an account, as it happens. */
export type HappyEvent = TrackedEvent['data'];
/** A durable change; `seq` counts the account's changes. */
export type HappyUpdate = Extract<HappyEvent, { event: 'update' }>['data'];
/** Something fleeting: presence, usage, notices. */
export type HappyEphemeral = Exclude<Extract<HappyEvent, { event: 'ephemeral' }>['data'], { type: 'connected' }>;

/** What to follow, and whom to tell. */
export interface FollowOptions {
    /** `user` (the default) is everything of the account; `session` and `machine` need an `id`. */
    scope?: Input['scope'];
    id?: string;
    /** Continues after this event: `lastEventId` of an earlier subscription. */
    lastEventId?: string;
    onUpdate?(update: HappyUpdate): void;
    onEphemeral?(ephemeral: HappyEphemeral): void;
    /** Updates were missed for good: load everything anew. It is as of `seq` or later. */
    onResync?(seq: number): void;
    /** The connection is up (`open`), or down and being tried again (`connecting`). */
    onState?(state: 'open' | 'connecting'): void;
    /** It ended for good: the token has ended, or there is no such session. */
    onError?(error: HappyError): void;
}

/** A subscription that reconnects by itself, from where it was, until it is closed or refused. */
export interface Following {
    close(): void;
    /** Where to continue; undefined before the first connection. */
    readonly lastEventId: string | undefined;
}

/** Follows what the subscription of a tRPC client yields. */
export function follow(api: TRPCClient<AppRouter>, options: FollowOptions): Following {
    const { scope, id, onUpdate, onEphemeral, onResync, onState, onError } = options;
    let { lastEventId } = options;
    const subscription = api.realtime.updates.subscribe(
        { ...(scope && { scope }), ...(id !== undefined && { id }), ...(lastEventId !== undefined && { lastEventId }) },
        {
            onData(tracked) {
                lastEventId = tracked.id;
                const { event, data } = tracked.data;
                if (event === 'update') onUpdate?.(data);
                else if (event === 'resync') onResync?.(data.seq);
                // The first one only gives the place to continue from.
                else if (data.type !== 'connected') onEphemeral?.(data);
            },
            onConnectionStateChange({ state }) {
                if (state !== 'idle') onState?.(state === 'pending' ? 'open' : 'connecting');
            },
            onError: (error) => onError?.(toHappyError(error)),
        },
    );
    return {
        close: () => subscription.unsubscribe(),
        get lastEventId() {
            return lastEventId;
        },
    };
}
