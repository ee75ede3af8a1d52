import { createEventParser } from '@/client/event-parser';
import { pause } from '@/client/pause';

/** How to open an event stream; both are asked anew for every connection. */
export interface FetchEventSourceInit {
    /** Sent with every connection: `Authorization`, for one. */
    headers?: Record<string, string> | (() => Record<string, string> | Promise<Record<string, string>>);
    fetch?: typeof fetch;
    /** Pause before the nth reconnect in a row, in ms. By default half a second, doubling up to 30 s, by chance up to half less. */
    retryDelayMs?: (attempt: number) => number;
}

/** An `error` event; `error` is what the server answered, if it answered with JSON, or what `fetch` threw. */
export class EventSourceErrorEvent extends Event {
    constructor(readonly error: unknown) {
        super('error');
    }
}

/** An event of the stream; `MessageEvent` has no `lastEventId` everywhere. */
export class EventSourceMessageEvent extends Event {
    constructor(
        type: string,
        readonly data: string,
        readonly lastEventId: string,
    ) {
        super(type);
    }
}

/** What was refused for good. Any other status may be over with the next try. */
const isFinalStatus = (status: number) =>
    status === 204 || (status >= 400 && status < 500 && status !== 408 && status !== 429);

/**
 * `EventSource` over `fetch`, so that it can send the Authorization header: the browser's own cannot. Reconnects by
 * itself, from the last event id, which goes into the query, since a header of that name would need leave from CORS.
 */
export class FetchEventSource extends EventTarget {
    static readonly CONNECTING = 0;
    static readonly OPEN = 1;
    static readonly CLOSED = 2;
    readonly CONNECTING = 0;
    readonly OPEN = 1;
    readonly CLOSED = 2;
    readyState: number = FetchEventSource.CONNECTING;

    private readonly closing = new AbortController();
    private lastEventId = '';
    private attempt = 0;
    private leastDelayMs = 0;

    constructor(
        readonly url: string,
        private readonly init: FetchEventSourceInit = {},
    ) {
        super();
        void this.run();
    }

    close(): void {
        this.readyState = FetchEventSource.CLOSED;
        this.closing.abort();
    }

    private get isClosed(): boolean {
        return this.readyState === FetchEventSource.CLOSED;
    }

    private async run(): Promise<void> {
        // Listeners are added after the constructor.
        await Promise.resolve();
        while (!this.isClosed) {
            const failure = await this.connect().catch((error: unknown) => error);
            if (this.isClosed) return;
            const answered = failure instanceof Refusal;
            this.readyState = answered && failure.isFinal ? FetchEventSource.CLOSED : FetchEventSource.CONNECTING;
            this.dispatchEvent(new EventSourceErrorEvent(answered ? failure.answer : failure));
            if (!this.isClosed) await this.pause();
        }
    }

    /** Reads one connection to its end. @throws Refusal when the server answers with anything but a stream */
    private async connect(): Promise<void> {
        const { fetch: get = fetch, headers = {} } = this.init;
        const url = new URL(this.url);
        if (this.lastEventId) url.searchParams.set('lastEventId', this.lastEventId);
        const response = await get(url.href, {
            headers: { Accept: 'text/event-stream', ...(typeof headers === 'function' ? await headers() : headers) },
            signal: this.closing.signal,
        });
        if (!response.ok || !response.headers.get('Content-Type')?.startsWith('text/event-stream')) {
            const answer: unknown = await response.json().catch(() => undefined);
            const error = (answer as { error?: unknown } | undefined)?.error ?? `HTTP status ${response.status}`;
            throw new Refusal(error, response.ok || isFinalStatus(response.status));
        }
        this.readyState = FetchEventSource.OPEN;
        this.dispatchEvent(new Event('open'));
        await this.read(response);
    }

    private async read(response: Response): Promise<void> {
        const parser = createEventParser({
            lastEventId: this.lastEventId,
            onRetry: (ms) => (this.leastDelayMs = ms),
            onEvent: ({ type, data, lastEventId }) => {
                this.lastEventId = lastEventId;
                this.attempt = 0;
                if (type && !this.isClosed) this.dispatchEvent(new EventSourceMessageEvent(type, data, lastEventId));
            },
        });
        const decoder = new TextDecoder();
        const reader = response.body?.getReader();
        for (let chunk = await reader?.read(); chunk && !chunk.done; chunk = await reader?.read()) {
            parser.push(decoder.decode(chunk.value, { stream: true }));
        }
    }

    private async pause(): Promise<void> {
        const delay = (this.init.retryDelayMs ?? defaultDelay)((this.attempt += 1) - 1);
        await pause(Math.max(this.leastDelayMs, delay), this.closing.signal);
    }
}

/** The server answered, but not with a stream. */
class Refusal extends Error {
    constructor(
        readonly answer: unknown,
        readonly isFinal: boolean,
    ) {
        super('No event stream');
    }
}

/** Everybody was cut off by the same deployment, and must not come back in the same moment. */
function defaultDelay(attempt: number): number {
    return Math.min(30_000, 500 * 2 ** attempt) * (0.5 + Math.random() / 2);
}
