import { startServer } from '@test/helpers/server';
import type { TestServer } from '@test/helpers/server';
import { openServices } from '@test/services/services';
import type { OutsideServices } from '@test/services/services';

/** A server of its own that takes the test's services for ElevenLabs and RevenueCat. */
export function voiceServices(overrides: Record<string, unknown> = {}): {
    services: OutsideServices;
    server: TestServer;
} {
    const services = openServices();
    return { services, server: startServer({ ...services.env, ...overrides }) };
}

/** A token as ElevenLabs makes them, for a conversation of its own. */
export function conversationToken(conversationId = `conv_${crypto.randomUUID().replaceAll('-', '')}`) {
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const room = `room_agent_1_${conversationId}`;
    return { conversationId, token: `${encode({ alg: 'HS256' })}.${encode({ video: { room, roomJoin: true } })}.c2ln` };
}

/** Plans the next token, and what ElevenLabs says of its conversation from now on. */
export async function planConversation(services: OutsideServices, state?: ConversationFacts): Promise<string> {
    const { conversationId, token } = conversationToken();
    await services.plan('GET /v1/convai/conversation/token', { body: { token } });
    if (state) await planState(services, conversationId, state);
    return conversationId;
}

/** A conversation as ElevenLabs tells of it; times in Unix seconds. */
export interface ConversationFacts {
    status: string;
    seconds?: number;
    startedAt?: number;
}

/** Plans what ElevenLabs says of a conversation, once. */
export async function planState(
    services: OutsideServices,
    id: string,
    { status, seconds, startedAt }: ConversationFacts,
) {
    await services.plan(`GET /v1/convai/conversations/${id}`, {
        body: {
            conversation_id: id,
            status,
            transcript: [{ role: 'agent', message: 'Hello' }],
            metadata: { start_time_unix_secs: startedAt ?? 0, call_duration_secs: seconds ?? 0 },
        },
    });
}

/** Plans what RevenueCat says of the account: an entitlement that ends then, or null for one without end. */
export async function planSubscriber(
    services: OutsideServices,
    accountId: string,
    entitlements: Record<string, object>,
) {
    await services.plan(`GET /v1/subscribers/${accountId}`, { body: { subscriber: { entitlements } } });
}
