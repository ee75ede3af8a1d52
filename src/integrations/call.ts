import type * as z from 'zod';
import { ServiceError } from '@/errors';

/** One call to an outside service. */
export interface OutsideCall<Reply> {
    /** The service's name as callers and the log are told it. */
    service: string;
    /** May hold secrets; never told to anybody. */
    url: URL;
    init?: RequestInit;
    /** For the whole call, its body included. */
    timeoutMs: number;
    /** Most bytes of the reply. */
    maxBytes?: number;
    reply: z.ZodType<Reply>;
}

/**
 * An outside service failed. Says which service and how; never its reply, the URL or a header, which can hold secrets.
 * 503 when another try may help, 502 when the service answers but not as it should.
 */
export class OutsideError extends ServiceError {
    constructor(
        service: string,
        problem: string,
        readonly facts: { status?: number; retryAfterMs?: number } = {},
    ) {
        const { status } = facts;
        const later = status === undefined ? problem === TIMED_OUT || problem === UNREACHABLE : RETRIABLE.has(status);
        super(later ? 'SERVICE_UNAVAILABLE' : 'BAD_GATEWAY', `${service} ${problem}`);
        this.name = 'OutsideError';
    }
}

const TIMED_OUT = 'did not answer in time';
const UNREACHABLE = 'cannot be reached';
const RETRIABLE = new Set([429, 503, 504]);
const MAX_BYTES = 256 * 1024;

/**
 * Calls an outside service and parses its JSON reply. Redirects are failures: a secret must not travel to where a
 * redirect points.
 * @throws OutsideError for everything but a parsed 2xx reply
 */
export async function callOutside<Reply>(call: OutsideCall<Reply>): Promise<Reply> {
    const { service, url, init, timeoutMs, maxBytes = MAX_BYTES, reply } = call;
    const signal = AbortSignal.timeout(timeoutMs);
    const lost = () => new OutsideError(service, signal.aborted ? TIMED_OUT : UNREACHABLE);

    const response = await fetch(url, { ...init, redirect: 'manual', signal }).catch(() => {
        throw lost();
    });
    if (!response.ok) {
        await response.body?.cancel().catch(() => undefined);
        const { status } = response;
        throw new OutsideError(service, `answered with status ${status}`, {
            status,
            retryAfterMs: retryAfter(response),
        });
    }
    const text = await readBounded(response, maxBytes).catch(() => {
        throw lost();
    });
    if (text === null) throw new OutsideError(service, 'answered with too much');

    const parsed = reply.safeParse(parseJson(text));
    if (!parsed.success) throw new OutsideError(service, 'answered with something unexpected');
    return parsed.data;
}

/** The reply's text, or null as soon as it is longer than allowed. */
async function readBounded(response: Response, maxBytes: number): Promise<string | null> {
    const decoder = new TextDecoder();
    let bytes = 0;
    let text = '';
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
        bytes += chunk.byteLength;
        if (bytes > maxBytes) return null;
        text += decoder.decode(chunk, { stream: true });
    }
    return text + decoder.decode();
}

function parseJson(text: string): unknown {
    try {
        return JSON.parse(text);
    } catch {
        return undefined;
    }
}

function retryAfter(response: Response): number | undefined {
    const seconds = response.headers.get('Retry-After');
    return seconds !== null && /^\d{1,4}$/.test(seconds) ? Number(seconds) * 1000 : undefined;
}
