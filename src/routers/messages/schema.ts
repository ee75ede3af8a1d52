import * as z from 'zod';
import { MessageContent, MessageText } from '@/routers/messages/content';
import { Id, Time, pageSize, text } from '@/utils/schema';

const LocalId = text(128, 1);

/** A message as v1, v2 and tRPC show it: `content` is whatever JSON was stored (contract 4.2). */
export const Message = z
    .object({
        id: z.string(),
        sessionId: z.string(),
        localId: z.string().nullable(),
        seq: z.int(),
        content: z.unknown(),
        createdAt: Time,
        updatedAt: Time,
    })
    .meta({ id: 'Message' });
export type Message = z.infer<typeof Message>;

/** A message as v3 lists it: encrypted content only. */
const EncryptedMessage = Message.omit({ sessionId: true }).extend({
    content: z.object({ t: z.literal('encrypted'), c: z.string() }),
});

export const CreateMessageInput = z.object({ id: Id, localId: LocalId.nullish(), content: MessageContent });
export type CreateMessageInput = z.infer<typeof CreateMessageInput>;

export const CreateMessageOutput = z.object({ message: Message });

export const RecentMessagesInput = z.object({ id: Id, sinceSeq: z.int().min(0).nullish() });
export type RecentMessagesInput = z.infer<typeof RecentMessagesInput>;

export const RecentMessagesOutput = z.object({ messages: z.array(Message) });

export const PageMessagesInput = z.object({ id: Id, cursor: z.string().nullish(), limit: pageSize(500, 100) });
export type PageMessagesInput = z.infer<typeof PageMessagesInput>;

export const PageMessagesOutput = z.object({ messages: z.array(Message), nextCursor: z.string().nullable() });

export const ListMessagesInput = z
    .object({
        sessionId: Id,
        /** Messages after this seq, ascending; 0 is the beginning. */
        after_seq: z.int().min(0).nullish(),
        /** Messages before this seq, descending. */
        before_seq: z.int().min(1).nullish(),
        limit: pageSize(500, 100),
    })
    .refine(({ after_seq, before_seq }) => after_seq == null || before_seq == null, {
        path: ['before_seq'],
        message: 'after_seq and before_seq exclude each other',
    });
export type ListMessagesInput = z.infer<typeof ListMessagesInput>;

export const ListMessagesOutput = z.object({ messages: z.array(EncryptedMessage), hasMore: z.boolean() });

export const AppendMessagesInput = z.object({
    sessionId: Id,
    messages: z
        .array(z.object({ content: MessageText, localId: LocalId }))
        .min(1)
        .max(100),
});
export type AppendMessagesInput = z.infer<typeof AppendMessagesInput>;

export const AppendMessagesOutput = z.object({
    messages: z.array(
        z.object({ id: z.string(), seq: z.int(), localId: z.string().nullable(), createdAt: Time, updatedAt: Time }),
    ),
});
