import type { Examples } from './example';

const agentId = 'agent_abc123';
const elevenUserId = 'u_8qgqeN1uvEQ4pM_5M54CP6GDptfoPrwMB5BNeClu1lM';
const seconds = { usedSeconds: 340, limitSeconds: 1200 };

export const voiceExamples: Examples<'voice'> = {
    token: { request: { agentId }, response: { allowed: true, token: 'eyJhbGciOiJIUzI1NiJ9…', agentId } },
    start: {
        request: { agentId },
        response: {
            allowed: true,
            conversationToken: 'eyJhbGciOiJIUzI1NiJ9…',
            conversationId: 'conv_01jv6c8e2xfz9',
            agentId,
            elevenUserId,
            ...seconds,
        },
    },
    usage: { request: {}, response: { ...seconds, conversationCount: 7, conversationLimit: 100, elevenUserId } },
};
