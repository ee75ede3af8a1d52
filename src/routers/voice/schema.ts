import * as z from 'zod';
import { text } from '@/utils/schema';

const AgentId = text(256, 1);

export const VoiceTokenInput = z.object({
    agentId: AgentId,
    /** Accepted for the clients that send it; a client's own key proves nothing, so nothing reads it. */
    revenueCatPublicKey: text(512).nullish(),
});
export type VoiceTokenInput = z.infer<typeof VoiceTokenInput>;

export const VoiceTokenOutput = z.discriminatedUnion('allowed', [
    z.object({ allowed: z.literal(true), token: z.string(), agentId: z.string() }),
    z.object({ allowed: z.literal(false), agentId: z.string() }),
]);

export const StartConversationInput = z.object({ agentId: AgentId });
export type StartConversationInput = z.infer<typeof StartConversationInput>;

/** Why a conversation is refused (contract 4.6). */
export const DenialReason = z.enum([
    'voice_hard_limit_reached',
    'subscription_required',
    'voice_conversation_limit_reached',
]);
export type DenialReason = z.infer<typeof DenialReason>;

/** Seconds used and allowed within 30 days. */
const seconds = { usedSeconds: z.int(), limitSeconds: z.int() };

export const StartConversationOutput = z.discriminatedUnion('allowed', [
    z.object({
        allowed: z.literal(true),
        conversationToken: z.string(),
        conversationId: z.string(),
        agentId: z.string(),
        elevenUserId: z.string(),
        ...seconds,
    }),
    z.object({ allowed: z.literal(false), reason: DenialReason, ...seconds, agentId: z.string() }),
]);

export const VoiceUsageInput = z.object({});

export const VoiceUsageOutput = z.object({
    ...seconds,
    conversationCount: z.int(),
    conversationLimit: z.int(),
    elevenUserId: z.string(),
});
