import * as z from 'zod';
import type { ServiceContext } from '@/context';
import { ServiceError } from '@/errors';
import { isGithubDelivery } from '@/integrations/github';
import { forgetGithubUser } from '@/routers/connect/github-link';

/** A delivery as it came over the wire. */
export interface GitHubDelivery {
    /** `X-Hub-Signature-256`. */
    signature: string | undefined;
    /** `X-GitHub-Event`. */
    event: string | undefined;
    /** `X-GitHub-Delivery`; GitHub repeats it when it sends a delivery again. */
    id: string | undefined;
    /** The very bytes that are signed. */
    body: Uint8Array;
}

/** GitHub can be asked to send a delivery again for three days. */
const REMEMBER_MS = 7 * 24 * 60 * 60_000;

const Revoked = z.object({ action: z.literal('revoked'), sender: z.object({ id: z.int().positive() }) });

/**
 * Takes a webhook delivery of GitHub. Acts once on the one event that concerns an account, a withdrawn authorization;
 * acknowledges every other.
 * @throws SERVICE_UNAVAILABLE without a secret, UNAUTHORIZED for a wrong signature, VALIDATION_FAILED for bad JSON
 */
export async function receiveGithubDelivery(ctx: ServiceContext, { signature, event, id, body }: GitHubDelivery) {
    const { webhookSecret } = ctx.config.integrations.github;
    if (!webhookSecret) throw new ServiceError('SERVICE_UNAVAILABLE', 'Webhook verification not configured');
    if (!signature || !(await isGithubDelivery(webhookSecret, body, signature))) {
        throw new ServiceError('UNAUTHORIZED', 'Invalid signature');
    }
    const payload = parse(body);
    const revoked = event === 'github_app_authorization' ? Revoked.safeParse(payload) : undefined;
    if (revoked?.success) {
        const now = ctx.now();
        await forgetGithubUser(ctx, String(revoked.data.sender.id), {
            key: `github-delivery:${id?.slice(0, 128) || signature}`,
            attempt: ctx.newId(),
            now,
            expiresAt: now + REMEMBER_MS,
        });
    }
    return { received: true as const };
}

function parse(body: Uint8Array): unknown {
    try {
        return JSON.parse(new TextDecoder().decode(body));
    } catch {
        throw new ServiceError('VALIDATION_FAILED', 'Body must be JSON');
    }
}
