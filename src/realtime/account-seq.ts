import { eq } from 'drizzle-orm';
import type { Db } from '@/db/client';
import { accounts } from '@/db/schema';

/** How many updates an account has had, by the database: how a hub notices one that was never published. */
export async function readAccountSeq(db: Db, accountId: string): Promise<number> {
    const [row] = await db.select({ seq: accounts.seq }).from(accounts).where(eq(accounts.id, accountId));
    return row?.seq ?? 0;
}
