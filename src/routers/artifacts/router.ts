import {
    ArtifactIdInput,
    ArtifactOutput,
    CreateArtifactInput,
    ListArtifactsInput,
    ListArtifactsOutput,
    SuccessOutput,
    UpdateArtifactInput,
    UpdateArtifactOutput,
} from '@/routers/artifacts/schema';
import { createArtifact, deleteArtifact, getArtifact, listArtifacts } from '@/routers/artifacts/service';
import { updateArtifact } from '@/routers/artifacts/update';
import { accountProcedure, restOf, router } from '@/trpc';

const rest = restOf('Artifacts');

export const artifactsRouter = router({
    list: accountProcedure
        .meta(rest('GET', '/v1/artifacts', 'List the 200 artifacts that changed last, without their bodies'))
        .input(ListArtifactsInput)
        .output(ListArtifactsOutput)
        .query(({ ctx }) => listArtifacts(ctx)),
    get: accountProcedure
        .meta(rest('GET', '/v1/artifacts/{id}', 'Get an artifact with its body'))
        .input(ArtifactIdInput)
        .output(ArtifactOutput)
        .query(({ ctx, input }) => getArtifact(ctx, input)),
    create: accountProcedure
        .meta(
            rest('POST', '/v1/artifacts', 'Create an artifact, or return the one with this id', {
                errorResponses: [409],
            }),
        )
        .input(CreateArtifactInput)
        .output(ArtifactOutput)
        .mutation(({ ctx, input }) => createArtifact(ctx, input)),
    update: accountProcedure
        .meta(rest('POST', '/v1/artifacts/{id}', 'Replace header, body or both if they have the expected versions'))
        .input(UpdateArtifactInput)
        .output(UpdateArtifactOutput)
        .mutation(({ ctx, input }) => updateArtifact(ctx, input)),
    delete: accountProcedure
        .meta(rest('DELETE', '/v1/artifacts/{id}', 'Delete an artifact'))
        .input(ArtifactIdInput)
        .output(SuccessOutput)
        .mutation(({ ctx, input }) => deleteArtifact(ctx, input)),
});
