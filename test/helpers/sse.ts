import { createTRPCClient, httpSubscriptionLink } from '@trpc/client';
import type { TRPCClientError } from '@trpc/client';
import { onTestFinished, vi } from 'vitest';
import { FetchEventSource } from '@/client/event-source';
import type { RealtimeEvent } from '@/realtime/follow';
import type { AppRouter } from '@/routers';
import type { TestServer } from '@test/helpers/server';

/** What a subscription yielded, as the client got it. */
export interface Yielded {
    id: string;
    event: string;
    // Tests say themselves what they expect of data.
    // oxlint-disable-next-line typescript/no-explicit-any
    data: any;
}

/** Whether an event only says where a subscription begins. */
export function isBeginning({ data }: Pick<RealtimeEvent, 'data'>): boolean {
    return 'type' in data && data.type === 'connected';
}

/** A subscription of a stock tRPC client, over server-sent events. */
export interface TestSubscription {
    events: Yielded[];
    /** Event ids of the places it was told it begins at; not among the events. */
    beginnings: string[];
    /** Set once it ended with an error. */
    error?: TRPCClientError<AppRouter>;
    completed: boolean;
    /** How often it was connected. */
    started: number;
    next(fits: (event: Yielded) => boolean): Promise<Yielded>;
    untilStarted(times?: number): Promise<void>;
    untilFailed(): Promise<TRPCClientError<AppRouter>>;
    /** Ends the connection, as a deployment does. */
    cut(): void;
    unsubscribe(): void;
}

type Input = Parameters<ReturnType<typeof createTRPCClient<AppRouter>>['realtime']['updates']['subscribe']>[0];

/** Subscribes to `realtime.updates` as the holder of a token, and waits for the answer. */
export async function subscribe(
    server: TestServer,
    token: string | undefined,
    input: Input = {},
): Promise<TestSubscription> {
    let connection = new AbortController();
    const client = createTRPCClient<AppRouter>({
        links: [
            httpSubscriptionLink({
                url: 'https://happy.test/trpc',
                EventSource: FetchEventSource,
                eventSourceOptions: {
                    headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
                    retryDelayMs: () => 20,
                    async fetch(url, init) {
                        connection = new AbortController();
                        const signal = AbortSignal.any([connection.signal, ...(init?.signal ? [init.signal] : [])]);
                        return server.fetch(String(url), { ...(init as RequestInit), signal });
                    },
                },
            }),
        ],
    });
    const waitFor = { timeout: 20_000, interval: 5 };
    const subscription: TestSubscription = {
        events: [],
        beginnings: [],
        completed: false,
        started: 0,
        next: (fits) =>
            vi.waitFor(() => {
                const event = subscription.events.find(fits);
                if (!event) throw new Error(`Not among ${JSON.stringify(subscription.events).slice(0, 2000)}`);
                return event;
            }, waitFor),
        untilStarted: async (times = 1) => void (await vi.waitUntil(() => subscription.started >= times, waitFor)),
        untilFailed: () => vi.waitUntil(() => subscription.error, waitFor),
        cut: () => connection.abort(),
        unsubscribe: () => handle.unsubscribe(),
    };
    const handle = client.realtime.updates.subscribe(input, {
        onStarted: () => (subscription.started += 1),
        onData: ({ id, data }) =>
            void (isBeginning(data) ? subscription.beginnings.push(id) : subscription.events.push({ id, ...data })),
        onError: (error) => (subscription.error = error),
        onComplete: () => (subscription.completed = true),
    });
    onTestFinished(() => handle.unsubscribe());
    await vi.waitUntil(() => subscription.started > 0 || subscription.error, waitFor);
    return subscription;
}
