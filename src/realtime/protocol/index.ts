import type { Wire } from '@/realtime/connection';
import type { Codec } from '@/realtime/protocol/codec';
import { nativeCodec } from '@/realtime/protocol/native';
import { socketIoCodec } from '@/realtime/protocol/socket-io';
import { trpcCodec } from '@/realtime/protocol/trpc';

/** The codec of each wire. */
export const CODECS: Record<Wire, Codec> = {
    native: nativeCodec,
    'socket.io': socketIoCodec,
    sse: nativeCodec,
    trpc: trpcCodec,
};
