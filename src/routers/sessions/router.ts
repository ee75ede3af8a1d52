import { requestAttachmentDownload, requestAttachmentUpload } from '@/routers/sessions/attachments';
import {
    RequestAttachmentDownloadInput,
    RequestAttachmentDownloadOutput,
    RequestAttachmentUploadInput,
    RequestAttachmentUploadOutput,
} from '@/routers/sessions/attachments-schema';
import { archiveSession, deleteSession, getSessionState } from '@/routers/sessions/lifecycle';
import { listActiveSessions, listSessions, pageSessions } from '@/routers/sessions/lists';
import { pushEvent } from '@/routers/sessions/push-event';
import { PushEventInput, PushEventOutput } from '@/routers/sessions/push-event-schema';
import {
    ActiveSessionsInput,
    ArchiveSessionInput,
    ArchiveSessionOutput,
    CreateSessionInput,
    DeleteSessionInput,
    ListSessionsInput,
    PageSessionsInput,
    PageSessionsOutput,
    SessionIdInput,
    SessionOutput,
    SessionStateOutput,
    SessionsOutput,
    SuccessOutput,
    UpdateAgentStateInput,
    UpdateAgentStateOutput,
    UpdateMetadataInput,
    UpdateMetadataOutput,
} from '@/routers/sessions/schema';
import { createSession, getSession } from '@/routers/sessions/service';
import { updateAgentState, updateMetadata } from '@/routers/sessions/versioned';
import { accountProcedure, restOf, router } from '@/trpc';

const rest = restOf('Sessions');

export const sessionsRouter = router({
    list: accountProcedure
        .meta(rest('GET', '/v1/sessions', 'List the 150 sessions that changed last'))
        .input(ListSessionsInput)
        .output(SessionsOutput)
        .query(({ ctx }) => listSessions(ctx)),
    page: accountProcedure
        .meta(rest('GET', '/v2/sessions', 'List sessions page by page, newest created first'))
        .input(PageSessionsInput)
        .output(PageSessionsOutput)
        .query(({ ctx, input }) => pageSessions(ctx, input)),
    active: accountProcedure
        .meta(rest('GET', '/v2/sessions/active', 'List sessions active within the last 15 minutes'))
        .input(ActiveSessionsInput)
        .output(SessionsOutput)
        .query(({ ctx, input }) => listActiveSessions(ctx, input)),
    create: accountProcedure
        .meta(rest('POST', '/v1/sessions', 'Create a session, or return the one with this tag'))
        .input(CreateSessionInput)
        .output(SessionOutput)
        .mutation(({ ctx, input }) => createSession(ctx, input)),
    get: accountProcedure
        .meta(rest('GET', '/v1/sessions/{id}', 'Get a session'))
        .input(SessionIdInput)
        .output(SessionOutput)
        .query(({ ctx, input }) => getSession(ctx, input)),
    state: accountProcedure
        .meta(rest('GET', '/v1/sessions/{id}/state', 'Tell whether a session runs, stopped or was archived'))
        .input(SessionIdInput)
        .output(SessionStateOutput)
        .query(({ ctx, input }) => getSessionState(ctx, input)),
    delete: accountProcedure
        .meta(rest('DELETE', '/v1/sessions/{id}', 'Stop a session, or delete it for good'))
        .input(DeleteSessionInput)
        .output(SuccessOutput)
        .mutation(({ ctx, input }) => deleteSession(ctx, input)),
    archive: accountProcedure
        .meta(rest('POST', '/v1/sessions/{id}/archive', 'Archive a session'))
        .input(ArchiveSessionInput)
        .output(ArchiveSessionOutput)
        .mutation(({ ctx, input }) => archiveSession(ctx, input)),
    pushEvent: accountProcedure
        .meta(rest('POST', '/v1/sessions/{id}/push-event', 'Notify your apps and devices of something in a session'))
        .input(PushEventInput)
        .output(PushEventOutput)
        .mutation(({ ctx, input }) => pushEvent(ctx, input)),
    requestAttachmentUpload: accountProcedure
        .meta(
            rest('POST', '/v1/sessions/{id}/attachments/request-upload', 'Ask where to put an encrypted attachment', {
                errorResponses: [413, 429],
            }),
        )
        .input(RequestAttachmentUploadInput)
        .output(RequestAttachmentUploadOutput)
        .mutation(({ ctx, input }) => requestAttachmentUpload(ctx, input)),
    requestAttachmentDownload: accountProcedure
        .meta(rest('POST', '/v1/sessions/{id}/attachments/request-download', 'Ask where to get an attachment'))
        .input(RequestAttachmentDownloadInput)
        .output(RequestAttachmentDownloadOutput)
        .mutation(({ ctx, input }) => requestAttachmentDownload(ctx, input)),
    updateMetadata: accountProcedure
        .meta(rest('PUT', '/v1/sessions/{id}/metadata', 'Replace the metadata if it has the expected version'))
        .input(UpdateMetadataInput)
        .output(UpdateMetadataOutput)
        .mutation(({ ctx, input }) => updateMetadata(ctx, input)),
    updateAgentState: accountProcedure
        .meta(rest('PUT', '/v1/sessions/{id}/agent-state', 'Replace the agent state if it has the expected version'))
        .input(UpdateAgentStateInput)
        .output(UpdateAgentStateOutput)
        .mutation(({ ctx, input }) => updateAgentState(ctx, input)),
});
