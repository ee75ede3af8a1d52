import { ListPushTokensInput, ListPushTokensOutput, PushTokenInput, SuccessOutput } from '@/routers/push/schema';
import { deletePushToken, listPushTokens, registerPushToken } from '@/routers/push/service';
import { accountProcedure, restOf, router } from '@/trpc';

const rest = restOf('Push');

export const pushRouter = router({
    register: accountProcedure
        .meta(rest('POST', '/v1/push-tokens', "Register a device's push token"))
        .input(PushTokenInput)
        .output(SuccessOutput)
        .mutation(({ ctx, input }) => registerPushToken(ctx, input)),
    list: accountProcedure
        .meta(rest('GET', '/v1/push-tokens', 'List the push tokens, the most recently registered first'))
        .input(ListPushTokensInput)
        .output(ListPushTokensOutput)
        .query(({ ctx }) => listPushTokens(ctx)),
    delete: accountProcedure
        .meta(rest('DELETE', '/v1/push-tokens/{token}', 'Forget a push token'))
        .input(PushTokenInput)
        .output(SuccessOutput)
        .mutation(({ ctx, input }) => deletePushToken(ctx, input)),
});
