import * as z from 'zod';
import { OutsideError, callOutside } from '@/integrations/call';
import type { IntegrationsConfig } from '@/integrations/config';

const SERVICE = 'ElevenLabs';
/** A conversation comes with its transcript. */
const CONVERSATION_BYTES = 4 * 1024 * 1024;

/** A token that lets a client talk to an agent, and the conversation it will be. */
export interface VoiceGrant {
    token: string;
    conversationId: string;
}

const TokenReply = z.object({ token: z.string().min(1).max(16_384) });

/**
 * A token for one conversation with the agent.
 * @throws OutsideError
 */
export async function createConversationToken(
    config: IntegrationsConfig,
    apiKey: string,
    { agentId, userId }: { agentId: string; userId: string },
): Promise<VoiceGrant> {
    const url = new URL(`${config.elevenLabs.url}/v1/convai/conversation/token`);
    url.search = new URLSearchParams({ agent_id: agentId, participant_name: userId }).toString();
    const { token } = await call(config, apiKey, url, TokenReply);
    const conversationId = readConversationId(token);
    // Without it the conversation could not be counted.
    if (conversationId === null) throw new OutsideError(SERVICE, 'answered with something unexpected');
    return { token, conversationId };
}

const ConversationReply = z.object({
    status: z.string(),
    metadata: z
        .object({
            start_time_unix_secs: z.number().nonnegative().nullish(),
            call_duration_secs: z.number().nonnegative().nullish(),
        })
        .nullish(),
});

/** How far a conversation has come. */
export interface ConversationState {
    ended: boolean;
    /** Seconds that ElevenLabs counted so far. */
    seconds: number;
    /** Unix ms; null before it began. */
    startedAt: number | null;
}

/**
 * The state of a conversation; null when ElevenLabs knows none, since it never began.
 * @throws OutsideError
 */
export async function fetchConversation(
    config: IntegrationsConfig,
    apiKey: string,
    conversationId: string,
): Promise<ConversationState | null> {
    const url = new URL(`${config.elevenLabs.url}/v1/convai/conversations/${encodeURIComponent(conversationId)}`);
    try {
        const { status, metadata } = await call(config, apiKey, url, ConversationReply);
        const start = metadata?.start_time_unix_secs;
        return {
            ended: status === 'done' || status === 'failed',
            seconds: Math.ceil(metadata?.call_duration_secs ?? 0),
            startedAt: start ? Math.round(start * 1000) : null,
        };
    } catch (error) {
        if (error instanceof OutsideError && error.facts.status === 404) return null;
        throw error;
    }
}

function call<Reply>(config: IntegrationsConfig, apiKey: string, url: URL, reply: z.ZodType<Reply>): Promise<Reply> {
    return callOutside({
        service: SERVICE,
        url,
        init: { headers: { Accept: 'application/json', 'xi-api-key': apiKey } },
        timeoutMs: config.timeoutMs,
        maxBytes: CONVERSATION_BYTES,
        reply,
    });
}

const Claims = z.object({ video: z.object({ room: z.string() }) });

/** The conversation's id stands in the name of the room that the token opens. */
function readConversationId(token: string): string | null {
    try {
        const payload: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
        return /conv_[A-Za-z0-9]{1,100}/.exec(Claims.parse(payload).video.room)?.[0] ?? null;
    } catch {
        return null;
    }
}
