import { Buffer } from 'node:buffer';
// The streaming parser inside @fastify/busboy, without the form decoding around it, which is twice its size.
import Dicer from '@fastify/busboy/deps/dicer/lib/Dicer';
import type { PartHeader, PartStream } from '@fastify/busboy/deps/dicer/lib/Dicer';
import { parse as parseDisposition } from 'content-disposition';
import { ServiceError } from '@/errors';
import { chunksOf } from '@/storage/content';

/** A part of a form, being read. The next part comes only once this one is read or left. */
export interface FormPart {
    name: string;
    /** As the client wrote it; null for a plain field. */
    filename: string | null;
    contentType: string | null;
    stream: ReadableStream<Uint8Array>;
}

/** More parts than any upload has, and more bytes than their headers need. */
const MAX_PARTS = 20;
const MAX_HEADER_BYTES = 16 * 1024;

/**
 * The parts of a `multipart/form-data` body as they come in; nothing of them is held.
 * @throws UNSUPPORTED_MEDIA_TYPE for another content type, VALIDATION_FAILED for a body that is no form or breaks off
 */
export async function* readForm(request: Request): AsyncGenerator<FormPart> {
    const boundary = boundaryOf(request);
    const parts = new PartQueue();
    const parser = new Dicer({ boundary, maxHeaderSize: MAX_HEADER_BYTES });
    let count = 0;
    parser.on('part', (part) => {
        // A part that breaks off tells whoever reads it; the form as a whole fails too.
        part.on('error', () => {});
        part.on('header', (header) => {
            count += 1;
            if (count > MAX_PARTS) parts.end(badForm('The form has too many parts'));
            else parts.add({ part, header });
        });
    });
    parser.on('finish', () => parts.end());
    parser.on('error', () => parts.end(badForm('The form breaks off')));

    const fed = feed(parser, request.body);
    fed.catch((error: Error) => parts.end(error));
    try {
        for (let next = await parts.next(); next; next = await parts.next()) {
            yield toFormPart(next);
            // Whatever was left unread is passed over.
            next.part.resume();
        }
    } finally {
        parser.destroy();
    }
}

interface ParsedPart {
    part: PartStream;
    header: PartHeader;
}

/** Parts that were found and not taken yet. */
class PartQueue {
    private readonly found: ParsedPart[] = [];
    private ended = false;
    private error: Error | undefined;
    private wake: (() => void) | undefined;

    add(part: ParsedPart): void {
        this.found.push(part);
        this.wake?.();
    }

    end(error?: Error): void {
        if (!this.ended) this.error = error;
        this.ended = true;
        this.wake?.();
    }

    async next(): Promise<ParsedPart | undefined> {
        while (this.found.length === 0 && !this.ended) {
            await new Promise<void>((resolve) => {
                this.wake = resolve;
            });
        }
        if (this.error) throw this.error;
        return this.found.shift();
    }
}

/** Hands the body to the parser, which takes more only when what it found is read. */
async function feed(parser: Dicer, body: ReadableStream | null): Promise<void> {
    for await (const chunk of chunksOf(body ?? new Blob([]).stream())) {
        if (parser.destroyed) return;
        await new Promise<void>((resolve, reject) => {
            parser.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength), (error) => {
                if (error) reject(error);
                else resolve();
            });
        });
    }
    parser.end();
}

function toFormPart({ part, header }: ParsedPart): FormPart {
    const { name, filename } = dispositionOf(header['content-disposition']?.[0]);
    const contentType = header['content-type']?.[0] ?? null;
    return { name, filename, contentType, stream: streamOf(part) };
}

/** Reads on only when somebody asks for more. */
function streamOf(part: PartStream): ReadableStream<Uint8Array> {
    const chunks = part[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
    return new ReadableStream<Uint8Array>(
        {
            async pull(controller) {
                const { done, value } = await chunks.next();
                if (done) controller.close();
                else controller.enqueue(value);
            },
        },
        { highWaterMark: 0 },
    );
}

function dispositionOf(raw: string | undefined): { name: string; filename: string | null } {
    try {
        // The parser hands headers over byte by character; clients write them in UTF-8.
        const { parameters } = parseDisposition(Buffer.from(raw ?? '', 'latin1').toString('utf8'), { multipart: true });
        return { name: parameters.name ?? '', filename: parameters.filename ?? null };
    } catch {
        throw badForm('A part of the form has no usable Content-Disposition');
    }
}

function boundaryOf(request: Request): string {
    const contentType = request.headers.get('Content-Type') ?? '';
    const [, quoted, plain] = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType) ?? [];
    const boundary = quoted ?? plain;
    if (!/^\s*multipart\/form-data\s*(;|$)/i.test(contentType)) {
        throw new ServiceError('UNSUPPORTED_MEDIA_TYPE', 'Body must be multipart/form-data');
    }
    if (boundary === undefined) throw badForm('The form has no boundary');
    return boundary;
}

function badForm(message: string): ServiceError {
    return new ServiceError('VALIDATION_FAILED', message);
}
