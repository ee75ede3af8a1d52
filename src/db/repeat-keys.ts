import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import { writeBatch } from '@/db/batch';
import type { Db } from '@/db/client';
import { repeatKeys } from '@/db/schema';

/** Something that must happen once only. Times are Unix ms. */
export interface Once {
    key: string;
    /** Names this attempt; of several, the one whose name is stored has won. */
    attempt: string;
    now: number;
    /** When the key may be used again. */
    expiresAt: number;
}

/** The first statement of a batch that must run once: stores the attempt, unless another holds the key. */
export function claimOnce({ key, attempt, now, expiresAt }: Once): SQL {
    return sql`INSERT INTO ${repeatKeys} (key, value, createdAt, expiresAt) VALUES (${key}, ${attempt}, ${now}, ${expiresAt})
        ON CONFLICT (key) DO UPDATE
            SET value = excluded.value, createdAt = excluded.createdAt, expiresAt = excluded.expiresAt
            WHERE "RepeatKey".expiresAt <= excluded.createdAt`;
}

/** The condition of the statements after it: this attempt has won. */
export function hasClaimed({ key, attempt }: Once): SQL {
    return sql`EXISTS (SELECT 1 FROM ${repeatKeys} once WHERE once.key = ${key} AND once.value = ${attempt})`;
}

/** Deletes keys that have run out, for the nightly sweep. */
export async function sweepRepeatKeys({ db, now }: { db: Db; now(): number }): Promise<void> {
    await writeBatch(db, [sql`DELETE FROM ${repeatKeys} WHERE expiresAt <= ${now()}`], []);
}
