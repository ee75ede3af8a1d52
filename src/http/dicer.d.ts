/** The package types it under another spelling of its name, and has its events as `any`. */
declare module '@fastify/busboy/deps/dicer/lib/Dicer' {
    import type { Readable, Writable } from 'node:stream';

    /** A part's headers in lower case, a character for each byte. */
    export type PartHeader = Record<string, string[]>;

    export interface PartStream extends Readable {
        on(event: 'header', listener: (header: PartHeader) => void): this;
        on(event: 'error', listener: (error: Error) => void): this;
    }

    /** Parses a multipart body that is written to it; takes more only as its parts are read. */
    export default class Dicer extends Writable {
        constructor(options: { boundary: string; maxHeaderSize?: number });
        on(event: 'part', listener: (part: PartStream) => void): this;
        on(event: 'finish', listener: () => void): this;
        on(event: 'error', listener: (error: Error) => void): this;
    }
}
