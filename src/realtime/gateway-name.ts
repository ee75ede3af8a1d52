import type { Env } from '@/env';
import type { Wire } from '@/realtime/connection';

/** Each wire has gateways of its own: an object answers the pings of one wire only while it sleeps (`Codec.autoResponse`). */
const PREFIXES = { native: 'gateway-', 'socket.io': 'socketio-', trpc: 'trpc-' } as const;

/** Wires whose sockets can't say at their upgrade whose they are. */
export type GatewayWire = keyof typeof PREFIXES;

/**
 * The gateway that a new socket goes to, one of `GATEWAY_SHARDS` (default 1, at most 100). Sockets from one address
 * share one, so that the heartbeats of a daemon and its sessions are merged, and a client that comes again and again
 * with a bad token meets the gateway that remembers it.
 */
export function gatewayName(env: Env, wire: GatewayWire, address: string | undefined): string {
    const shards = Math.min(100, Math.max(1, Math.floor(Number(env.GATEWAY_SHARDS ?? 1)) || 1));
    const shard = address === undefined ? Math.floor(Math.random() * shards) : hash(address) % shards;
    return PREFIXES[wire] + shard;
}

/** The wire that a gateway of this name serves. */
export function wireOfGateway(name: string): Wire {
    const wires = Object.keys(PREFIXES) as GatewayWire[];
    return wires.find((wire) => name.startsWith(PREFIXES[wire])) ?? 'native';
}

/** FNV-1a: even, and the same everywhere and always. */
function hash(text: string): number {
    let value = 0x811c9dc5;
    for (const byte of new TextEncoder().encode(text)) value = Math.imul(value ^ byte, 0x01000193) >>> 0;
    return value;
}
