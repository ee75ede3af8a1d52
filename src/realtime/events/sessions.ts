import * as z from 'zod';
import type { SocketEvent } from '@/realtime/events/socket-event';
import { socketEvent, successFalse } from '@/realtime/events/socket-event';
import { getSessionId } from '@/realtime/protocol/ids';
import { createMessage } from '@/routers/messages/append';
import { MessageText, encryptedContent } from '@/routers/messages/content';
import { stopSession } from '@/routers/sessions/lifecycle';
import { UpdateAgentStateInput, UpdateMetadataInput } from '@/routers/sessions/schema';
import { updateAgentState, updateMetadata } from '@/routers/sessions/versioned';
import { Id, text } from '@/utils/schema';

const Message = z.object({ sid: Id, message: MessageText, localId: text(128, 1).nullish() });
const Metadata = UpdateMetadataInput.omit({ id: true }).extend({ sid: Id });
const AgentState = UpdateAgentStateInput.omit({ id: true }).extend({ sid: Id });
const End = z.object({ sid: Id, time: z.number().nullish() });

/** Socket events of sessions: the services of `routers/sessions` and `routers/messages`. */
export const sessionEvents: Record<string, SocketEvent> = {
    message: socketEvent(Message, async (ctx, data) => {
        const { message, localId } = data;
        const input = { id: getSessionId(data), localId, content: encryptedContent(message) };
        // The sender has it already, and older clients would take its echo for a new prompt.
        const stored = await createMessage(ctx, input, ctx.connection.id);
        return { result: 'success', id: stored.message.id, seq: stored.message.seq };
    }),
    'update-metadata': socketEvent(Metadata, (ctx, data) => updateMetadata(ctx, { ...data, id: getSessionId(data) })),
    'update-state': socketEvent(AgentState, (ctx, data) => updateAgentState(ctx, { ...data, id: getSessionId(data) })),
    'session-end': socketEvent(
        End,
        async (ctx, data) => ({ success: true, activeAt: await stopSession(ctx, getSessionId(data)) }),
        successFalse,
    ),
};
