import type { Env } from '@/env';

/** The gateway a new socket goes to: any of `GATEWAY_SHARDS` (default 1, at most 100), by chance. */
export function gatewayName(env: Env): string {
    const shards = Math.min(100, Math.max(1, Math.floor(Number(env.GATEWAY_SHARDS ?? 1)) || 1));
    return `gateway-${Math.floor(Math.random() * shards)}`;
}
