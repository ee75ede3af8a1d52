import { sql } from 'drizzle-orm';
import type { AccountContext } from '@/context';
import { deriveElevenLabsUserId } from '@/crypto/eleven-labs-user-id';
import { writeForAccount } from '@/db/batch';
import { voiceConversations } from '@/db/schema';
import { ServiceError } from '@/errors';
import { OutsideError } from '@/integrations/call';
import type { VoiceGrant } from '@/integrations/eleven-labs';
import { createConversationToken } from '@/integrations/eleven-labs';
import { hasSubscription } from '@/integrations/revenue-cat';
import { announce } from '@/realtime/publish';
import type { DenialReason, StartConversationInput, VoiceTokenInput } from '@/routers/voice/schema';
import type { VoiceUsage } from '@/routers/voice/usage';
import { MAX_OPEN, WINDOW_MS, measureUsage, settle } from '@/routers/voice/usage';

/** A token for a conversation; in production only for subscribers (contract 4.6). */
export async function createVoiceToken(ctx: AccountContext, { agentId }: VoiceTokenInput) {
    const start = await startConversation(ctx, agentId, ctx.config.integrations.voice.requireSubscription);
    if (!('grant' in start)) return { allowed: false as const, agentId };
    return { allowed: true as const, token: start.grant.token, agentId };
}

/** A token for a conversation, free for a while, then for subscribers up to a hard limit (contract 4.6). */
export async function createVoiceConversation(ctx: AccountContext, { agentId }: StartConversationInput) {
    const { usedSeconds, limitSeconds, ...start } = await startConversation(ctx, agentId, false);
    if (!('grant' in start))
        return { allowed: false as const, reason: start.reason, usedSeconds, limitSeconds, agentId };
    return {
        allowed: true as const,
        conversationToken: start.grant.token,
        conversationId: start.grant.conversationId,
        agentId,
        elevenUserId: start.userId,
        usedSeconds,
        limitSeconds,
    };
}

/** What the account used within 30 days, and what it may use. */
export async function getVoiceUsage(ctx: AccountContext) {
    const { integrations, masterSecret } = ctx.config;
    const { freeSeconds, hardSeconds, conversations } = integrations.voice;
    const [usage, subscribed, elevenUserId] = await Promise.all([
        measureUsage(ctx, elevenLabsKey(ctx)),
        hasSubscription(integrations, ctx.actor.accountId, ctx.now()),
        deriveElevenLabsUserId(masterSecret, ctx.actor.accountId),
    ]);
    await settle(ctx, usage);
    return {
        usedSeconds: usage.usedSeconds,
        limitSeconds: subscribed ? hardSeconds : freeSeconds,
        conversationCount: usage.conversationCount,
        conversationLimit: conversations,
        elevenUserId,
    };
}

type Start = { usedSeconds: number; limitSeconds: number } & (
    | { grant: VoiceGrant; userId: string }
    | { reason: DenialReason }
);

/**
 * Checks the limits, gets a token and counts the conversation; nobody gets a token that is not counted.
 * Two round trips: what was used, and the new conversation.
 */
async function startConversation(ctx: AccountContext, agentId: string, subscribersOnly: boolean): Promise<Start> {
    const { integrations, masterSecret } = ctx.config;
    const { accountId } = ctx.actor;
    const { freeSeconds, hardSeconds } = integrations.voice;
    const apiKey = elevenLabsKey(ctx);
    const usage = await measureUsage(ctx, apiKey);
    const { usedSeconds } = usage;

    const denied = await findDenial(ctx, usage, subscribersOnly);
    if (denied) {
        await settle(ctx, usage);
        const limitSeconds = denied === 'subscription_required' ? freeSeconds : hardSeconds;
        return { reason: denied, usedSeconds, limitSeconds };
    }
    if (usage.openCount >= MAX_OPEN) throw new ServiceError('RATE_LIMITED', 'Too many voice conversations are open');

    const userId = await deriveElevenLabsUserId(masterSecret, accountId);
    const grant = await createConversationToken(integrations, apiKey, { agentId, userId }).catch((error: unknown) => {
        const unknown = error instanceof OutsideError && error.facts.status === 404;
        throw unknown ? new ServiceError('NOT_FOUND', 'Voice agent not found') : error;
    });
    const counted = await countConversation(ctx, usage, grant.conversationId, agentId);
    if (!counted) return { reason: 'voice_conversation_limit_reached', usedSeconds, limitSeconds: hardSeconds };
    return { grant, userId, usedSeconds, limitSeconds: usedSeconds < freeSeconds ? freeSeconds : hardSeconds };
}

async function findDenial(
    { config, actor, now }: AccountContext,
    { usedSeconds, conversationCount }: VoiceUsage,
    subscribersOnly: boolean,
): Promise<DenialReason | null> {
    const { voice } = config.integrations;
    if (conversationCount >= voice.conversations) return 'voice_conversation_limit_reached';
    if (usedSeconds >= voice.hardSeconds) return 'voice_hard_limit_reached';
    if (!subscribersOnly && usedSeconds < voice.freeSeconds) return null;
    return (await hasSubscription(config.integrations, actor.accountId, now())) ? null : 'subscription_required';
}

/** False when others, started at the same time, took the last of the window's conversations. */
async function countConversation(
    ctx: AccountContext,
    usage: VoiceUsage,
    id: string,
    agentId: string,
): Promise<boolean> {
    const { accountId } = ctx.actor;
    const now = ctx.now();
    const { changed, seq } = await writeForAccount(ctx.db, {
        accountId,
        before: usage.settle,
        main: sql`INSERT INTO ${voiceConversations} (id, accountId, agentId, startedAt)
            SELECT ${id}, ${accountId}, ${agentId}, ${now} WHERE ${ctx.config.integrations.voice.conversations} >
                (SELECT count(*) FROM ${voiceConversations} WHERE accountId = ${accountId} AND startedAt > ${now - WINDOW_MS})
            RETURNING id`,
        updatesPerRow: 0,
    });
    announce(ctx, { accountId, seq });
    return changed.length === 1;
}

function elevenLabsKey({ config }: AccountContext): string {
    const { apiKey } = config.integrations.elevenLabs;
    if (apiKey === undefined) throw new ServiceError('SERVICE_UNAVAILABLE', 'Voice is not configured');
    return apiKey;
}
