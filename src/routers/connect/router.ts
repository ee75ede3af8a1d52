import { githubParams } from '@/routers/connect/github';
import { unlinkGithub } from '@/routers/connect/github-link';
import {
    GitHubParamsOutput,
    NoInput,
    RegisterVendorInput,
    SuccessOutput,
    VendorInput,
    VendorTokenOutput,
    VendorTokensOutput,
} from '@/routers/connect/schema';
import { deleteVendorToken, getVendorToken, listVendorTokens, registerVendorToken } from '@/routers/connect/service';
import { accountProcedure, restOf, router } from '@/trpc';

const rest = restOf('Connect');

export const connectRouter = router({
    githubParams: accountProcedure
        .meta(
            rest('GET', '/v1/connect/github/params', 'Get the URL where GitHub asks to link an account', {
                errorResponses: [400],
            }),
        )
        .input(NoInput)
        .output(GitHubParamsOutput)
        .query(({ ctx }) => githubParams(ctx)),
    // Before `disconnect`, whose path would take `github` for a vendor.
    disconnectGithub: accountProcedure
        .meta(rest('DELETE', '/v1/connect/github', 'Unlink GitHub and forget its token'))
        .input(NoInput)
        .output(SuccessOutput)
        .mutation(({ ctx }) => unlinkGithub(ctx)),
    tokens: accountProcedure
        .meta(rest('GET', '/v1/connect/tokens', 'List your AI vendor tokens'))
        .input(NoInput)
        .output(VendorTokensOutput)
        .query(({ ctx }) => listVendorTokens(ctx)),
    register: accountProcedure
        .meta(rest('POST', '/v1/connect/{vendor}/register', 'Keep a token of an AI vendor, encrypted'))
        .input(RegisterVendorInput)
        .output(SuccessOutput)
        .mutation(({ ctx, input }) => registerVendorToken(ctx, input)),
    token: accountProcedure
        .meta(rest('GET', '/v1/connect/{vendor}/token', 'Get your token of an AI vendor'))
        .input(VendorInput)
        .output(VendorTokenOutput)
        .query(({ ctx, input }) => getVendorToken(ctx, input)),
    disconnect: accountProcedure
        .meta(rest('DELETE', '/v1/connect/{vendor}', 'Forget your token of an AI vendor'))
        .input(VendorInput)
        .output(SuccessOutput)
        .mutation(({ ctx, input }) => deleteVendorToken(ctx, input)),
});
