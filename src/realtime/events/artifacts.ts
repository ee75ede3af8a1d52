import type { SocketEvent } from '@/realtime/events/socket-event';
import { socketEvent } from '@/realtime/events/socket-event';
import { ArtifactIdInput, CreateArtifactInput, UpdateArtifactInput } from '@/routers/artifacts/schema';
import { createArtifact, deleteArtifact, getArtifact } from '@/routers/artifacts/service';
import { updateArtifact } from '@/routers/artifacts/update';

/** Socket events of artifacts: the services of `routers/artifacts`; what exceeds a frame goes by REST. */
export const artifactEvents: Record<string, SocketEvent> = {
    'artifact-read': socketEvent(ArtifactIdInput, async (ctx, input) => {
        const { artifact } = await getArtifact(ctx, input);
        return { result: 'success', artifact };
    }),
    'artifact-create': socketEvent(CreateArtifactInput, async (ctx, input) => {
        const { artifact } = await createArtifact(ctx, input);
        return { result: 'success', artifact };
    }),
    'artifact-update': socketEvent(UpdateArtifactInput, async (ctx, input) => {
        const outcome = await updateArtifact(ctx, input);
        if (outcome.success) return { result: 'success', ...outcome };
        const { error, success: _, ...current } = outcome;
        return { result: error, ...current };
    }),
    'artifact-delete': socketEvent(ArtifactIdInput, async (ctx, input) => {
        await deleteArtifact(ctx, input);
        return { result: 'success' };
    }),
};
