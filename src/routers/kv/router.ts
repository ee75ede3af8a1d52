import { mutateKv } from '@/routers/kv/mutate';
import {
    BulkKvInput,
    BulkKvOutput,
    GetKvInput,
    KvItem,
    ListKvInput,
    ListKvOutput,
    MutateKvInput,
    MutateKvOutput,
} from '@/routers/kv/schema';
import { bulkKv, getKv, listKv } from '@/routers/kv/service';
import { accountProcedure, restOf, router } from '@/trpc';

const rest = restOf('KV');

export const kvRouter = router({
    get: accountProcedure
        .meta(rest('GET', '/v1/kv/{key}', 'Get the value of a key'))
        .input(GetKvInput)
        .output(KvItem)
        .query(({ ctx, input }) => getKv(ctx, input)),
    list: accountProcedure
        .meta(rest('GET', '/v1/kv', 'List keys and values in order, all or with a prefix', { errorResponses: [413] }))
        .input(ListKvInput)
        .output(ListKvOutput)
        .query(({ ctx, input }) => listKv(ctx, input)),
    // Changes nothing, but as a query its 100 keys would have to fit into a URL.
    bulk: accountProcedure
        .meta(rest('POST', '/v1/kv/bulk', 'Get the values of up to 100 keys'))
        .input(BulkKvInput)
        .output(BulkKvOutput)
        .mutation(({ ctx, input }) => bulkKv(ctx, input)),
    mutate: accountProcedure
        .meta(rest('POST', '/v1/kv', 'Write or delete up to 100 keys, all or none', { failureStatus: 409 }))
        .input(MutateKvInput)
        .output(MutateKvOutput)
        .mutation(({ ctx, input }) => mutateKv(ctx, input)),
});
