import type { Examples } from './example';
import { THEN } from './example';

const sessionId = 'cmgx4s0aa1k2j3h4g5f6d7s8a';
const tokens = { total: 1500, input: 1000, output: 500 };
const cost = { total: 0.0105, input: 0.003, output: 0.0075 };
const startTime = THEN / 1000;

export const usageExamples: Examples<'usage'> = {
    query: {
        request: { sessionId, startTime, endTime: startTime + 86_399, groupBy: 'hour' },
        response: {
            usage: [{ timestamp: startTime - (startTime % 3600), tokens, cost, reportCount: 1 }],
            groupBy: 'hour',
            totalReports: 1,
        },
    },
    report: {
        request: { key: 'claude-session', sessionId, tokens, cost },
        response: { success: true, reportId: 'cmgx4s0dd0p9o8i7u6y5t4r3e', createdAt: THEN, updatedAt: THEN },
    },
};
