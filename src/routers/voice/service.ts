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
    const { requireSubscription } = ctx.config.integrations.voice;
    const start = await startConversation(ctx, agentId, requireSubscription, () => isSubscriber(ctx));
    if (!('grant' in start)) return { allowed: false as const, agentId };
    return { allowed: true as const, token: start.grant.token, agentId };
}

/** A token for a conversation, free for a while, then for subscribers up to a hard limit (contract 4.6). */
export async function createVoiceConversation(ctx: AccountContext, { agentId }: StartConversationInput) {
    const subscribed = isSubscriber(ctx);
    // The free seconds can be had while RevenueCat is out of reach.
    const limit = subscribed.catch(() => false).then((known) => limitFor(ctx, known));
    const { usedSeconds, ...start } = await startConversation(ctx, agentId, false, () => subscribed);
    const isPastAll = 'reason' in start && start.reason === 'voice_hard_limit_reached';
    const limitSeconds = isPastAll ? limitFor(ctx, true) : await limit;
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
    const [usage, subscribed, elevenUserId] = await Promise.all([
        measureUsage(ctx, elevenLabsKey(ctx)),
        isSubscriber(ctx),
        deriveElevenLabsUserId(masterSecret, ctx.actor.accountId),
    ]);
    await settle(ctx, usage);
    return {
        usedSeconds: usage.usedSeconds,
        limitSeconds: limitFor(ctx, subscribed),
        conversationCount: usage.conversationCount,
        conversationLimit: integrations.voice.conversations,
        elevenUserId,
    };
}

type Start = { usedSeconds: number } & ({ grant: VoiceGrant; userId: string } | { reason: DenialReason });

/**
 * Checks the limits, gets a token and counts the conversation; nobody gets a token that is not counted.
 * Two round trips: what was used, and the new conversation.
 */
async function startConversation(
    ctx: AccountContext,
    agentId: string,
    subscribersOnly: boolean,
    subscribed: () => Promise<boolean>,
): Promise<Start> {
    const { integrations, masterSecret } = ctx.config;
    const { accountId } = ctx.actor;
    const apiKey = elevenLabsKey(ctx);
    const usage = await measureUsage(ctx, apiKey);
    const { usedSeconds } = usage;

    const denied = await findDenial(ctx, usage, subscribersOnly, subscribed);
    if (denied) {
        await settle(ctx, usage);
        return { reason: denied, usedSeconds };
    }
    if (usage.openCount >= MAX_OPEN) throw new ServiceError('RATE_LIMITED', 'Too many voice conversations are open');

    const userId = await deriveElevenLabsUserId(masterSecret, accountId);
    const grant = await createConversationToken(integrations, apiKey, { agentId, userId }).catch((error: unknown) => {
        const unknown = error instanceof OutsideError && error.facts.status === 404;
        throw unknown ? new ServiceError('NOT_FOUND', 'Voice agent not found') : error;
    });
    const counted = await countConversation(ctx, usage, grant.conversationId, agentId);
    return counted ? { grant, userId, usedSeconds } : { reason: 'voice_conversation_limit_reached', usedSeconds };
}

async function findDenial(
    { config }: AccountContext,
    { usedSeconds, conversationCount }: VoiceUsage,
    subscribersOnly: boolean,
    subscribed: () => Promise<boolean>,
): Promise<DenialReason | null> {
    const { voice } = config.integrations;
    if (conversationCount >= voice.conversations) return 'voice_conversation_limit_reached';
    if (usedSeconds >= voice.hardSeconds) return 'voice_hard_limit_reached';
    if (!subscribersOnly && usedSeconds < voice.freeSeconds) return null;
    return (await subscribed()) ? null : 'subscription_required';
}

function isSubscriber({ config, actor, now }: AccountContext): Promise<boolean> {
    return hasSubscription(config.integrations, actor.accountId, now());
}

/** Seconds within 30 days, as every answer tells them. */
function limitFor({ config }: AccountContext, subscribed: boolean): number {
    const { freeSeconds, hardSeconds } = config.integrations.voice;
    return subscribed ? hardSeconds : freeSeconds;
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
