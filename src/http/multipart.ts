import { Buffer } from 'node:buffer';
import { parse as parseDisposition } from 'content-disposition';
import { ServiceError } from '@/errors';
import { readJsonObject } from '@/http/body';
import { chunksOf } from '@/storage/content';

/** A part of a form, being read; what of it is left unread is passed over when the next part is asked for. */
export interface FormPart {
    name: string;
    /** As the client wrote it; null for a plain field. */
    filename: string | null;
    contentType: string | null;
    /** Its bytes. A chunk lasts until the next one is asked for. */
    chunks: AsyncIterable<Uint8Array>;
}

/** More parts than any upload has, and more bytes than their headers need. */
const MAX_PARTS = 20;
const MAX_HEADER_BYTES = 16 * 1024;

const HEADER_END = Buffer.from('\r\n\r\n');

/**
 * The parts of a `multipart/form-data` body (RFC 2046, 7578) as they come in. Of a body of any length only the chunk in
 * hand is held. (Parsers on npm hold whole parts, or hand them on through Node streams, which holds tens of megabytes.)
 * A JSON object has none, and so has a request without a body (contract 2).
 * @throws UNSUPPORTED_MEDIA_TYPE for another content type, VALIDATION_FAILED for a body that is no form or breaks off
 */
export async function* readForm(request: Request): AsyncGenerator<FormPart> {
    const contentType = request.headers.get('Content-Type') ?? '';
    if (!/^\s*multipart\/form-data\s*(;|$)/i.test(contentType)) {
        await readJsonObject(request, 'multipart/form-data');
        return;
    }
    const body = new DelimitedBody(boundaryOf(contentType), chunksOf(request.body ?? new Blob([]).stream()));
    try {
        await pass(body.untilDelimiter());
        for (let count = 1; !(await body.isOver()); count++) {
            if (count > MAX_PARTS) throw badForm('The form has too many parts');
            const part = toFormPart(await body.header(), body.untilDelimiter());
            yield part;
            await pass(part.chunks);
            // A reader who stopped early has ended the part's own iteration.
            if (!body.isAtDelimiter) await pass(body.untilDelimiter());
        }
    } finally {
        await body.release();
    }
}

/** A body as a sequence of stretches between delimiters. */
class DelimitedBody {
    isAtDelimiter = false;
    private readonly delimiter: Buffer;
    private readonly chunks: AsyncIterator<Uint8Array>;
    /** Bytes that were read and not taken yet; once more are read, a copy. The first delimiter has no line end before it. */
    private held: Buffer = Buffer.from('\r\n');

    constructor(boundary: string, chunks: AsyncIterable<Uint8Array>) {
        this.delimiter = Buffer.from(`\r\n--${boundary}`);
        this.chunks = chunks[Symbol.asyncIterator]();
    }

    /** The bytes before the next delimiter. What may be its beginning is held back until more is known. */
    async *untilDelimiter(): AsyncGenerator<Uint8Array> {
        this.isAtDelimiter = false;
        while (!this.isAtDelimiter) {
            const at = this.held.indexOf(this.delimiter);
            this.isAtDelimiter = at !== -1;
            const end = this.isAtDelimiter ? at : this.held.length - this.beginningLength();
            const taken = this.take(end);
            if (this.isAtDelimiter) this.take(this.delimiter.length);
            // The state is settled before the chunk goes out: its reader may not come back.
            if (taken.length > 0) yield taken;
            if (!this.isAtDelimiter) await this.readMore();
        }
    }

    /** Whether the delimiter just passed was the last one, which `--` follows. */
    async isOver(): Promise<boolean> {
        while (this.held.length < 2) await this.readMore();
        return this.held[0] === 0x2d && this.held[1] === 0x2d;
    }

    /** The lines after a delimiter, up to the empty one. */
    async header(): Promise<string> {
        let end = this.held.indexOf(HEADER_END);
        while (end === -1) {
            if (this.held.length > MAX_HEADER_BYTES) throw badForm('A part of the form has too long a header');
            await this.readMore();
            end = this.held.indexOf(HEADER_END);
        }
        const header = this.take(end).toString('utf8');
        this.take(HEADER_END.length);
        return header;
    }

    /** Leaves the rest to whoever wants it. */
    async release(): Promise<void> {
        await this.chunks.return?.();
    }

    private take(length: number): Buffer {
        const taken = this.held.subarray(0, length);
        this.held = this.held.subarray(length);
        return taken;
    }

    private async readMore(): Promise<void> {
        // The next chunk comes in the memory of this one.
        const held = Buffer.from(this.held);
        const { done, value } = await this.chunks.next();
        if (done) throw badForm('The form breaks off');
        const chunk = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
        this.held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    }

    /** How many of the last bytes held may be the beginning of a delimiter. */
    private beginningLength(): number {
        const last = this.held.subarray(-(this.delimiter.length - 1));
        // A boundary has no line end in it, so only the last one can begin a delimiter.
        const at = last.lastIndexOf(this.delimiter.subarray(0, 1));
        const beginning = at === -1 ? Buffer.alloc(0) : last.subarray(at);
        return this.delimiter.subarray(0, beginning.length).equals(beginning) ? beginning.length : 0;
    }
}

function toFormPart(header: string, chunks: AsyncIterable<Uint8Array>): FormPart {
    const lines = header.split('\r\n').map((line) => /^([^:]+):\s*(.*)$/.exec(line));
    const valueOf = (name: string) => lines.find((line) => line?.[1]?.trim().toLowerCase() === name)?.[2];
    try {
        const { parameters } = parseDisposition(valueOf('content-disposition') ?? '', { multipart: true });
        const { name = '', filename = null } = parameters;
        return { name, filename, contentType: valueOf('content-type') ?? null, chunks };
    } catch {
        throw badForm('A part of the form has no usable Content-Disposition');
    }
}

async function pass(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const _ of chunks);
}

function boundaryOf(contentType: string): string {
    const [, quoted, plain] = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70})(?=[\s;]|$))/i.exec(contentType) ?? [];
    const boundary = quoted ?? plain;
    if (boundary === undefined) throw badForm('The form has no boundary');
    return boundary;
}

function badForm(message: string): ServiceError {
    return new ServiceError('VALIDATION_FAILED', message);
}
