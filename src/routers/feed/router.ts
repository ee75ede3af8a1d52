import { ListFeedInput, ListFeedOutput } from '@/routers/feed/schema';
import { listFeed } from '@/routers/feed/service';
import { accountProcedure, restOf, router } from '@/trpc';

const rest = restOf('Feed');

export const feedRouter = router({
    list: accountProcedure
        .meta(rest('GET', '/v1/feed', 'List your feed page by page, newest first'))
        .input(ListFeedInput)
        .output(ListFeedOutput)
        .query(({ ctx, input }) => listFeed(ctx, input)),
});
