import {
    requestAccount,
    requestTerminal,
    respondAccount,
    respondTerminal,
    terminalStatus,
} from '@/routers/auth/pairing';
import {
    ChallengeInput,
    ChallengeOutput,
    LoginInput,
    NoInput,
    PairingRequestInput,
    PairingRequestOutput,
    PairingResponseInput,
    PairingStatusInput,
    PairingStatusOutput,
    SuccessOutput,
    TerminalRequestInput,
    TokenOutput,
} from '@/routers/auth/schema';
import { issueChallenge, login, logout, logoutAll, refresh } from '@/routers/auth/service';
import { accountProcedure, limitedProcedure, restOf, router } from '@/trpc';

const rest = restOf('Auth');
const open = { protect: false };

export const authRouter = router({
    login: limitedProcedure
        .meta(rest('POST', '/v1/auth', 'Log in with a signed challenge', open))
        .input(LoginInput)
        .output(TokenOutput)
        .mutation(({ ctx, input }) => login(ctx, input)),
    challenge: limitedProcedure
        .meta(rest('POST', '/v1/auth/challenge', 'Get a challenge to sign', open))
        .input(ChallengeInput)
        .output(ChallengeOutput)
        .mutation(({ ctx, input }) => issueChallenge(ctx, input)),
    requestTerminal: limitedProcedure
        .meta(rest('POST', '/v1/auth/request', 'Ask for a terminal to be paired, and poll for the answer', open))
        .input(TerminalRequestInput)
        .output(PairingRequestOutput)
        .mutation(({ ctx, input }) => requestTerminal(ctx, input)),
    terminalStatus: limitedProcedure
        .meta(rest('GET', '/v1/auth/request/status', 'Tell how far a terminal pairing has come', open))
        .input(PairingStatusInput)
        .output(PairingStatusOutput)
        .query(({ ctx, input }) => terminalStatus(ctx, input)),
    respondTerminal: accountProcedure
        .meta(rest('POST', '/v1/auth/response', 'Let a terminal in'))
        .input(PairingResponseInput)
        .output(SuccessOutput)
        .mutation(({ ctx, input }) => respondTerminal(ctx, input)),
    requestAccount: limitedProcedure
        .meta(
            rest(
                'POST',
                '/v1/auth/account/request',
                'Ask for a device to join an account, and poll for the answer',
                open,
            ),
        )
        .input(PairingRequestInput)
        .output(PairingRequestOutput)
        .mutation(({ ctx, input }) => requestAccount(ctx, input)),
    respondAccount: accountProcedure
        .meta(rest('POST', '/v1/auth/account/response', 'Let a device join the account'))
        .input(PairingResponseInput)
        .output(SuccessOutput)
        .mutation(({ ctx, input }) => respondAccount(ctx, input)),
    refresh: accountProcedure
        .meta(rest('POST', '/v1/auth/refresh', 'Get a new token'))
        .input(NoInput)
        .output(TokenOutput)
        .mutation(({ ctx }) => refresh(ctx)),
    logout: accountProcedure
        .meta(rest('POST', '/v1/auth/logout', 'End the calling token'))
        .input(NoInput)
        .output(SuccessOutput)
        .mutation(({ ctx }) => logout(ctx)),
    logoutAll: accountProcedure
        .meta(rest('POST', '/v1/auth/logout-all', 'End every token of the account'))
        .input(NoInput)
        .output(SuccessOutput)
        .mutation(({ ctx }) => logoutAll(ctx)),
});
