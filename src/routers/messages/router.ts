import { appendMessages, createMessage } from '@/routers/messages/append';
import { listMessages, pageMessages, recentMessages } from '@/routers/messages/lists';
import {
    AppendMessagesInput,
    AppendMessagesOutput,
    CreateMessageInput,
    CreateMessageOutput,
    ListMessagesInput,
    ListMessagesOutput,
    PageMessagesInput,
    PageMessagesOutput,
    RecentMessagesInput,
    RecentMessagesOutput,
} from '@/routers/messages/schema';
import { accountProcedure, restOf, router } from '@/trpc';

const rest = restOf('Messages');

export const messagesRouter = router({
    create: accountProcedure
        .meta(rest('POST', '/v1/sessions/{id}/messages', 'Append one message'))
        .input(CreateMessageInput)
        .output(CreateMessageOutput)
        .mutation(({ ctx, input }) => createMessage(ctx, input)),
    recent: accountProcedure
        .meta(rest('GET', '/v1/sessions/{id}/messages', 'List the newest messages, or those after a seq'))
        .input(RecentMessagesInput)
        .output(RecentMessagesOutput)
        .query(({ ctx, input }) => recentMessages(ctx, input)),
    page: accountProcedure
        .meta(rest('GET', '/v2/sessions/{id}/messages', 'List messages page by page, newest first'))
        .input(PageMessagesInput)
        .output(PageMessagesOutput)
        .query(({ ctx, input }) => pageMessages(ctx, input)),
    list: accountProcedure
        .meta(rest('GET', '/v3/sessions/{sessionId}/messages', 'List encrypted messages after or before a seq'))
        .input(ListMessagesInput)
        .output(ListMessagesOutput)
        .query(({ ctx, input }) => listMessages(ctx, input)),
    append: accountProcedure
        .meta(rest('POST', '/v3/sessions/{sessionId}/messages', 'Append up to 100 encrypted messages'))
        .input(AppendMessagesInput)
        .output(AppendMessagesOutput)
        .mutation(({ ctx, input }) => appendMessages(ctx, input)),
});
