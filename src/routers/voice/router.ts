import {
    StartConversationInput,
    StartConversationOutput,
    VoiceTokenInput,
    VoiceTokenOutput,
    VoiceUsageInput,
    VoiceUsageOutput,
} from '@/routers/voice/schema';
import { createVoiceConversation, createVoiceToken, getVoiceUsage } from '@/routers/voice/service';
import { accountProcedure, restOf, router } from '@/trpc';

const rest = restOf('Voice');

export const voiceRouter = router({
    token: accountProcedure
        .meta(
            rest('POST', '/v1/voice/token', 'Get a token for a voice conversation', {
                errorResponses: [404, 429, 502],
            }),
        )
        .input(VoiceTokenInput)
        .output(VoiceTokenOutput)
        .mutation(({ ctx, input }) => createVoiceToken(ctx, input)),
    start: accountProcedure
        .meta(
            rest('POST', '/v1/voice/conversations', 'Start a voice conversation within the limits', {
                errorResponses: [404, 429, 502],
            }),
        )
        .input(StartConversationInput)
        .output(StartConversationOutput)
        .mutation(({ ctx, input }) => createVoiceConversation(ctx, input)),
    usage: accountProcedure
        .meta(rest('GET', '/v1/voice/usage', 'Tell how much voice was used within 30 days', { errorResponses: [502] }))
        .input(VoiceUsageInput)
        .output(VoiceUsageOutput)
        .query(({ ctx }) => getVoiceUsage(ctx)),
});
