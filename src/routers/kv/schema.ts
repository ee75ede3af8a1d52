import * as z from 'zod';
import { base64, pageSize, text } from '@/utils/schema';

const Key = text(256, 1);

const VALUE_BYTES = 256 * 1024;
const BATCH_BYTES = 1.5 * 1024 * 1024;

/** A key with its value in base64; a deleted one is never shown as an item (contract 4.4). */
export const KvItem = z.object({ key: z.string(), value: z.string(), version: z.int() });
export type KvItem = z.infer<typeof KvItem>;

export const GetKvInput = z.object({ key: Key });
export type GetKvInput = z.infer<typeof GetKvInput>;

export const ListKvInput = z.object({
    /** What the keys begin with, literally. */
    prefix: text(256).nullish(),
    limit: pageSize(1000, 100),
});
export type ListKvInput = z.infer<typeof ListKvInput>;

export const ListKvOutput = z.object({ items: z.array(KvItem) });

export const BulkKvInput = z.object({ keys: z.array(Key).min(1).max(100) });
export type BulkKvInput = z.infer<typeof BulkKvInput>;

export const BulkKvOutput = z.object({ values: z.array(KvItem) });

const Mutation = z.object({
    key: Key,
    /** null deletes. */
    value: base64({ max: VALUE_BYTES }).nullable(),
    /** The version that the key must have now; -1: it must never have existed. */
    version: z.int().min(-1),
});

export const MutateKvInput = z.object({
    mutations: z
        .array(Mutation)
        .min(1)
        .max(100)
        .refine((mutations) => new Set(mutations.map(({ key }) => key)).size === mutations.length, 'Each key only once')
        .refine(
            (mutations) => mutations.reduce((bytes, { value }) => bytes + (value?.length ?? 0), 0) <= BATCH_BYTES,
            `Values of a batch must be at most ${BATCH_BYTES} bytes together`,
        ),
});
export type MutateKvInput = z.infer<typeof MutateKvInput>;

export const MutateKvOutput = z.discriminatedUnion('success', [
    z.object({ success: z.literal(true), results: z.array(z.object({ key: z.string(), version: z.int() })) }),
    z.object({
        success: z.literal(false),
        errors: z.array(
            z.object({
                key: z.string(),
                error: z.literal('version-mismatch'),
                /** -1 when the key does not exist. */
                version: z.int(),
                /** null when the key does not exist or was deleted. */
                value: z.string().nullable(),
            }),
        ),
    }),
]);
export type MutateKvOutput = z.infer<typeof MutateKvOutput>;
