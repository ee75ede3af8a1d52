import type { Examples } from './example';
import { SEALED, THEN } from './example';

const id = 'cmgx4s0ab0000000000000001';
const localId = '0b9d9a4e-6a8f-4a59-9a53-0c6f3c1d2e3f';
const receipt = { id: 'cmgx4s0ac0000000000000002', seq: 12, localId, createdAt: THEN, updatedAt: THEN };
const content = { t: 'encrypted' as const, c: SEALED };
const message = { ...receipt, sessionId: id, content };

export const messageExamples: Examples<'messages'> = {
    create: { request: { id, localId, content }, response: { message } },
    recent: { request: { id, sinceSeq: 11 }, response: { messages: [message] } },
    page: { request: { id, limit: 100 }, response: { messages: [message], nextCursor: null } },
    list: {
        request: { sessionId: id, after_seq: 11, limit: 100 },
        response: { messages: [{ ...receipt, content }], hasMore: false },
    },
    append: {
        request: { sessionId: id, messages: [{ content: SEALED, localId }] },
        response: { messages: [receipt] },
    },
};
