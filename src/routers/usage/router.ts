import { queryUsage } from '@/routers/usage/query';
import { reportUsage } from '@/routers/usage/report';
import { QueryUsageInput, QueryUsageOutput, ReportUsageInput, ReportUsageOutput } from '@/routers/usage/schema';
import { accountProcedure, restOf, router } from '@/trpc';

const rest = restOf('Usage');

export const usageRouter = router({
    query: accountProcedure
        .meta(rest('POST', '/v1/usage/query', 'Sum tokens and cost by hour or day'))
        .input(QueryUsageInput)
        .output(QueryUsageOutput)
        .query(({ ctx, input }) => queryUsage(ctx, input)),
    report: accountProcedure
        .meta(rest('POST', '/v1/usage/report', 'Report the tokens and cost of a session'))
        .input(ReportUsageInput)
        .output(ReportUsageOutput)
        .mutation(({ ctx, input }) => reportUsage(ctx, input)),
});
