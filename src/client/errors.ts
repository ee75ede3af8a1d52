import { TRPCClientError } from '@trpc/client';
import type { TRPCLink } from '@trpc/client';
import { observable } from '@trpc/server/observable';
import type { AppRouter } from '@/client/app-router';

type ErrorShape = NonNullable<TRPCClientError<AppRouter>['shape']>;

/** Stable machine words of the server (`NOT_FOUND`, `UNAUTHORIZED` …), and `NETWORK` when there was no answer of its. */
export type HappyErrorCode = ErrorShape['data']['error'] | 'NETWORK';

/** What every call of the client fails with. `code` says what is wrong, `message` says it to people. */
export class HappyError extends TRPCClientError<AppRouter> {
    readonly code: HappyErrorCode;
    /** HTTP status the server gave it; undefined for `NETWORK`. */
    readonly status: number | undefined;
    /** What to name when asking the server's operator about it. */
    readonly requestId: string | undefined;
    /** For `VALIDATION_FAILED`: where in the input, and what. */
    readonly issues: { path: string; message: string }[];

    constructor(error: TRPCClientError<AppRouter>) {
        super(error.message, { ...(error.shape && { result: { error: error.shape } }), cause: error.cause });
        const data = error.shape?.data;
        // Its parent claims every instance for itself.
        Object.setPrototypeOf(this, HappyError.prototype);
        this.name = 'HappyError';
        this.code = data?.error ?? 'NETWORK';
        this.status = data?.httpStatus;
        this.requestId = data?.requestId;
        this.issues = data?.issues ?? [];
    }
}

/** The error as a HappyError, whatever was thrown. */
export function toHappyError(error: unknown): HappyError {
    if (error instanceof HappyError) return error;
    return new HappyError(TRPCClientError.from<AppRouter>(error instanceof Error ? error : new Error(String(error))));
}

/**
 * Makes calls fail with HappyError, and with their signal's reason when it says to stop, even if `fetch` does not heed
 * it: that of Node 20 never ends when told so while it unzips an answer.
 */
export const happyErrors: TRPCLink<AppRouter> =
    () =>
    ({ op, next }) =>
        observable((observer) => {
            const signal = op.type === 'subscription' ? undefined : op.signal;
            const stop = () => observer.error(toHappyError(signal?.reason));
            const call = next(op).subscribe({
                next: (value) => observer.next(value),
                error: (error) => observer.error(toHappyError(error)),
                complete: () => observer.complete(),
            });
            signal?.addEventListener('abort', stop);
            return () => {
                signal?.removeEventListener('abort', stop);
                call.unsubscribe();
            };
        });
