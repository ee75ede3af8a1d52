import { CheckVersionInput, CheckVersionOutput } from '@/routers/version/schema';
import { checkVersion } from '@/routers/version/service';
import { publicProcedure, restOf, router } from '@/trpc';

const rest = restOf('Version');

export const versionRouter = router({
    check: publicProcedure
        .meta(rest('POST', '/v1/version', 'Tell whether an app must be updated', { protect: false }))
        .input(CheckVersionInput)
        .output(CheckVersionOutput)
        .mutation(({ ctx, input }) => checkVersion(ctx, input)),
});
