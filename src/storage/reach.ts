import { ServiceError } from '@/errors';

/** Runs a call to the bucket; whatever it fails with, callers are told that storage is unavailable. */
export async function reach<T>(call: () => Promise<T>): Promise<T> {
    try {
        return await call();
    } catch (error) {
        const unavailable = new ServiceError('SERVICE_UNAVAILABLE', 'Storage unavailable, try again');
        throw Object.defineProperty(unavailable, 'cause', { value: error }); // for the log
    }
}
