import { env as realEnv } from 'cloudflare:workers';

/** A call of the bucket, or of a multipart upload of it. */
export type BucketCall =
    | 'put'
    | 'get'
    | 'head'
    | 'delete'
    | 'list'
    | 'createMultipartUpload'
    | 'uploadPart'
    | 'complete';

/** What happened on a wrapped bucket. */
export interface BucketProbe {
    /** For `startServer({ UPLOADS: bucket.binding })`. */
    binding: R2Bucket;
    /** Every call, in order. */
    calls: BucketCall[];
    /** Makes the next call of this kind fail, before it does anything or after it is done. */
    failNext(call: BucketCall, when: 'before' | 'after'): void;
    /** Keys that the real bucket holds below a prefix. */
    keys(prefix: string): Promise<string[]>;
}

/** Wraps the real bucket: it works as ever, but calls are seen and fail on demand. */
export function probeBucket(): BucketProbe {
    const real = realEnv.UPLOADS;
    const calls: BucketCall[] = [];
    const faults = new Map<BucketCall, 'before' | 'after'>();

    async function run<T>(call: BucketCall, work: () => Promise<T>): Promise<T> {
        calls.push(call);
        const fault = faults.get(call);
        faults.delete(call);
        if (fault === 'before') throw new Error(`${call}: internal error`);
        const result = await work();
        if (fault === 'after') throw new Error(`${call}: network connection lost`);
        return result;
    }

    const wrapUpload = (upload: R2MultipartUpload) => ({
        uploadPart: (...args: Parameters<R2MultipartUpload['uploadPart']>) =>
            run('uploadPart', () => upload.uploadPart(...args)),
        complete: (parts: R2UploadedPart[]) => run('complete', () => upload.complete(parts)),
        abort: () => upload.abort(),
    });

    const binding = {
        put: (key: string, value: ReadableStream, options: R2PutOptions) =>
            run('put', () => real.put(key, value, options)),
        get: (key: string, options: R2GetOptions) => run('get', () => real.get(key, options)),
        head: (key: string) => run('head', () => real.head(key)),
        delete: (keys: string[]) => run('delete', () => real.delete(keys)),
        list: (options: R2ListOptions) => run('list', () => real.list(options)),
        createMultipartUpload: (key: string, options: R2MultipartOptions) =>
            run('createMultipartUpload', async () => wrapUpload(await real.createMultipartUpload(key, options))),
    } as unknown as R2Bucket;

    return {
        binding,
        calls,
        failNext: (call, when) => faults.set(call, when),
        async keys(prefix) {
            const { objects } = await real.list({ prefix });
            return objects.map(({ key }) => key);
        },
    };
}
