import { runInDurableObject } from 'cloudflare:test';
import { createTRPCClient, createWSClient, wsLink } from '@trpc/client';
import type { TRPCClientError } from '@trpc/client';
import { onTestFinished, vi } from 'vitest';
import type { AppRouter } from '@/routers';
import type { TestAccount } from '@test/helpers/account';
import type { TestServer } from '@test/helpers/server';
import { isBeginning } from '@test/helpers/sse';
import type { Yielded } from '@test/helpers/sse';

/** Where a socket lives: with a ticket in the hub, with connectionParams in a gateway. */
export type Door = 'ticket' | 'connectionParams';

/** A subscription's events, and how it ended. */
export interface Watched {
    events: Yielded[];
    /** Event ids of the places it was told it begins at; not among the events. */
    beginnings: string[];
    started: number;
    stopped: boolean;
    error?: TRPCClientError<AppRouter>;
    next(fits: (event: Yielded) => boolean): Promise<Yielded>;
    unsubscribe(): void;
}

/** The sockets that a client opened, newest last, with every frame both ways. */
export interface Line {
    sockets: WebSocket[];
    sent: string[];
    received: string[];
    closed: { code: number; reason: string }[];
}

type Input = Parameters<ReturnType<typeof createTRPCClient<AppRouter>>['realtime']['updates']['subscribe']>[0];

/** A `WebSocket` as clients know it, whose other end is the server under test. */
function webSocketOf(server: TestServer, line: Line): typeof WebSocket {
    class TestWebSocket extends EventTarget {
        static readonly CONNECTING = 0;
        static readonly OPEN = 1;
        static readonly CLOSING = 2;
        static readonly CLOSED = 3;
        readonly CONNECTING = 0;
        readonly OPEN = 1;
        readonly CLOSING = 2;
        readonly CLOSED = 3;
        private raw?: WebSocket;
        private sending: Promise<void> = Promise.resolve();
        /** As clients see it: open from the event on, and closed with the event. */
        readyState: number = 0;

        constructor(url: string) {
            super();
            void this.open(url);
        }

        private async open(url: string): Promise<void> {
            const { webSocket } = await server.fetch(url.replace(/^ws/, 'http'), { headers: { Upgrade: 'websocket' } });
            if (!webSocket) throw new Error('No WebSocket');
            this.raw = webSocket;
            line.sockets.push(webSocket);
            webSocket.addEventListener('message', ({ data }) => {
                line.received.push(data as string);
                this.dispatchEvent(new MessageEvent('message', { data }));
            });
            webSocket.addEventListener('close', ({ code, reason }) => {
                line.closed.push({ code, reason });
                this.readyState = this.CLOSED;
                this.dispatchEvent(new CloseEvent('close', { code, reason }));
            });
            webSocket.accept();
            this.readyState = this.OPEN;
            this.dispatchEvent(new Event('open'));
        }

        /** One frame at a time: unlike workerd itself, the test pool may hand an object two at once in the other order. */
        send(text: string): void {
            line.sent.push(text);
            this.sending = this.sending.then(async () => {
                // A closing WebSocket drops what it is given; workerd's throws.
                if (this.readyState === this.OPEN) this.raw?.send(text);
                await (text.includes('"connectionParams"') ? untilRead(server) : pause());
            });
        }

        close(code = 1000): void {
            this.readyState = this.CLOSING;
            this.raw?.close(code);
        }
    }
    return TestWebSocket as unknown as typeof WebSocket;
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 2));

/** Until the gateway has read what every socket says of itself. */
async function untilRead(server: TestServer): Promise<void> {
    const gateway = server.env.SOCKET_GATEWAY.getByName('trpc-0');
    const isPending = (socket: WebSocket) =>
        socket.readyState === WebSocket.OPEN && 'pendingUntil' in (socket.deserializeAttachment() as object);
    await vi.waitUntil(() => runInDurableObject(gateway, (_, state) => !state.getWebSockets().some(isPending)), {
        timeout: 20_000,
        interval: 5,
    });
}

/** A stock tRPC client over one WebSocket. */
export function connectWsLink(
    server: TestServer,
    account: TestAccount,
    door: Door,
    params: Record<string, string> = {},
) {
    const line: Line = { sockets: [], sent: [], received: [], closed: [] };
    const client = createWSClient({
        async url() {
            if (door === 'connectionParams') return 'wss://happy.test/trpc';
            const { body } = await account.call('POST', '/v1/websocket/ticket');
            return `wss://happy.test/trpc?${new URLSearchParams({ ...params, ticket: body.ticket }).toString()}`;
        },
        ...(door === 'connectionParams' && { connectionParams: { token: account.token, ...params } }),
        WebSocket: webSocketOf(server, line),
        retryDelayMs: () => 20,
    });
    onTestFinished(() => client.close());
    const api = createTRPCClient<AppRouter>({ links: [wsLink({ client })] });

    function watch(input: Input = {}): Watched {
        const watched: Watched = {
            events: [],
            beginnings: [],
            started: 0,
            stopped: false,
            next: (fits) =>
                vi.waitFor(
                    () => {
                        const event = watched.events.find(fits);
                        if (!event) throw new Error(`Not among ${JSON.stringify(watched.events).slice(0, 2000)}`);
                        return event;
                    },
                    { timeout: 20_000, interval: 5 },
                ),
            unsubscribe: () => handle.unsubscribe(),
        };
        const handle = api.realtime.updates.subscribe(input, {
            onStarted: () => void (watched.started += 1),
            onData: ({ id, data }) =>
                void (isBeginning(data) ? watched.beginnings.push(id) : watched.events.push({ id, ...data })),
            onError: (error) => (watched.error = error),
            onStopped: () => (watched.stopped = true),
        });
        return watched;
    }

    /** Subscribes and waits for the answer. */
    async function follow(input?: Input): Promise<Watched> {
        const watched = watch(input);
        await vi.waitUntil(() => watched.started > 0 || watched.error, { timeout: 20_000, interval: 5 });
        return watched;
    }

    return { api, line, watch, follow, close: () => client.close() };
}
