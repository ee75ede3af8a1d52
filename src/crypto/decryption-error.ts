/** Stored bytes could not be opened. Carries neither content nor key, nor a cause that might. */
export class DecryptionError extends Error {
    override readonly name = 'DecryptionError';

    constructor(readonly reason: 'unknown format' | 'authentication failed') {
        super(`Cannot decrypt stored secret: ${reason}`);
    }
}
