import { ClientLogInput, ClientLogOutput } from '@/routers/dev/schema';
import { logForClient, requireDevLog } from '@/routers/dev/service';
import { limitedPerAddress, publicProcedure, restOf, router } from '@/trpc';

const rest = restOf('Dev');

/** Switched off, it is as if it were not there, whatever the input; switched on, it is limited per address. */
const devProcedure = publicProcedure
    .use(({ ctx, next }) => {
        requireDevLog(ctx);
        return next();
    })
    .concat(limitedPerAddress('dev-log'));

export const devRouter = router({
    log: devProcedure
        .meta(
            rest('POST', '/logs-combined-from-cli-and-mobile-for-simple-ai-debugging', "Write into the server's log", {
                description: 'For development: 404 unless DANGEROUSLY_LOG_TO_SERVER_FOR_AI_AUTO_DEBUGGING is set.',
                protect: false,
            }),
        )
        .input(ClientLogInput)
        .output(ClientLogOutput)
        .mutation(({ ctx, input }) => logForClient(ctx, input)),
});
