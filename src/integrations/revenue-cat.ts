import * as z from 'zod';
import { callOutside } from '@/integrations/call';
import type { IntegrationsConfig } from '@/integrations/config';

const Expiry = z.string().nullish();

const SubscriberReply = z.object({
    subscriber: z.object({
        entitlements: z.record(z.string(), z.object({ expires_date: Expiry, grace_period_expires_date: Expiry })),
    }),
});

/**
 * Whether the account has the configured entitlement at `now` (Unix ms). An entitlement without an end lasts.
 * Without a server key nobody has one.
 * @throws OutsideError
 */
export async function hasSubscription(
    { timeoutMs, revenueCat }: IntegrationsConfig,
    accountId: string,
    now: number,
): Promise<boolean> {
    if (revenueCat.apiKey === undefined) return false;
    const { subscriber } = await callOutside({
        service: 'RevenueCat',
        url: new URL(`${revenueCat.url}/v1/subscribers/${encodeURIComponent(accountId)}`),
        init: { headers: { Accept: 'application/json', Authorization: `Bearer ${revenueCat.apiKey}` } },
        timeoutMs,
        reply: SubscriberReply,
    });
    const entitlement = subscriber.entitlements[revenueCat.entitlement];
    if (!entitlement) return false;
    const { expires_date: expires, grace_period_expires_date: grace } = entitlement;
    if (expires == null) return true;
    return [expires, grace].some((date) => date != null && Date.parse(date) > now);
}
