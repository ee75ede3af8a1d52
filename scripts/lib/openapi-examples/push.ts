import type { Examples } from './example';
import { THEN } from './example';

const token = 'ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]';

export const pushExamples: Examples<'push'> = {
    register: { request: { token }, response: { success: true } },
    list: {
        request: {},
        response: { tokens: [{ id: 'cmgx4s0aa9z8y7x6w5v4u3t2s', token, createdAt: THEN, updatedAt: THEN }] },
    },
    delete: { request: { token }, response: { success: true } },
};
