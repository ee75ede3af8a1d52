import {
    AccessKeyInput,
    AccessKeyOutput,
    CreateAccessKeyInput,
    CreateAccessKeyOutput,
    UpdateAccessKeyInput,
    UpdateAccessKeyOutput,
} from '@/routers/access-keys/schema';
import { createAccessKey, getAccessKey, updateAccessKey } from '@/routers/access-keys/service';
import { accountProcedure, restOf, router } from '@/trpc';

const rest = restOf('Access keys');
const path = '/v1/access-keys/{sessionId}/{machineId}';

export const accessKeysRouter = router({
    get: accountProcedure
        .meta(rest('GET', path, 'Get the access key of a session and a machine'))
        .input(AccessKeyInput)
        .output(AccessKeyOutput)
        .query(({ ctx, input }) => getAccessKey(ctx, input)),
    create: accountProcedure
        .meta(rest('POST', path, 'Make the access key of a session and a machine', { errorResponses: [409] }))
        .input(CreateAccessKeyInput)
        .output(CreateAccessKeyOutput)
        .mutation(({ ctx, input }) => createAccessKey(ctx, input)),
    update: accountProcedure
        .meta(rest('PUT', path, 'Replace the data if it has the expected version'))
        .input(UpdateAccessKeyInput)
        .output(UpdateAccessKeyOutput)
        .mutation(({ ctx, input }) => updateAccessKey(ctx, input)),
});
