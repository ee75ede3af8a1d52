import type { Examples } from './example';
import { THEN } from './example';

/** Any 32 bytes: a signing key where one logs in, an encryption key where one pairs. */
const publicKey = 'TtIOiUtBzB0rS1pJLJnWcZKpvJ0mEr4oVvXO4h7Qv2k=';
const challenge = 'mRZ8bJ6kJxPpWl0wS2bq3cQm0sVY6f0gqg7kqXnq2wM=';
const signature = '8/FaI+Q/E4js5FwvALpBv9KSCyJ51ANwdlX2FTwRQgVkV2HvDLZp5MmHm7Lbtkxf3Y3hAhHzB/0NA2a2uWzu5Q==';
const response = 'AHRoZSBzZWNyZXQsIHNlYWxlZCBmb3IgdGhlIG5ldyBkZXZpY2U=';
const token = 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJjbWd4NHMwYWEwMDAwMDAwMDAwMDAwMDAwIn0.c2lnbmF0dXJl';

export const authExamples: Examples<'auth'> = {
    login: { request: { publicKey, challenge, signature }, response: { success: true, token } },
    challenge: { request: { publicKey }, response: { challenge, expiresAt: THEN + 300_000 } },
    requestTerminal: { request: { publicKey, supportsV2: true }, response: { state: 'requested' } },
    terminalStatus: { request: { publicKey }, response: { status: 'pending', supportsV2: true } },
    respondTerminal: { request: { publicKey, response }, response: { success: true } },
    requestAccount: { request: { publicKey }, response: { state: 'authorized', token, response } },
    respondAccount: { request: { publicKey, response }, response: { success: true } },
    refresh: { request: {}, response: { success: true, token } },
    logout: { request: {}, response: { success: true } },
    logoutAll: { request: {}, response: { success: true } },
};
