import type { InferSelectModel } from 'drizzle-orm';
import { encodeBase64 } from '@/crypto/base64';
import type { machines } from '@/db/schema';
import type { Machine } from '@/routers/machines/schema';

/** A machine as it is stored. */
export type MachineRow = InferSelectModel<typeof machines>;

/** A stored machine as callers see it. */
export function toMachine({ lastActiveAt, dataEncryptionKey, ...row }: MachineRow): Machine {
    return {
        ...row,
        dataEncryptionKey: dataEncryptionKey && encodeBase64(dataEncryptionKey),
        activeAt: lastActiveAt,
        lastActiveAt,
    };
}
