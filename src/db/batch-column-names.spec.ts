import { eq } from 'drizzle-orm';
import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import { writeBatch } from '@/db/batch';
import { getDb } from '@/db/client';
import { accounts, sessions } from '@/db/schema';

const db = getDb(env.DB);

it('a read in a batch whose columns share a name fails loudly: D1 would lose one and shift the rest', async () => {
    const times = { createdAt: 1, updatedAt: 1 };
    await db.insert(accounts).values({ id: 'joined', publicKey: 'joined', ...times });
    const session = { id: 'joined-session', accountId: 'joined', tag: 'tag', metadata: 'm', lastActiveAt: 1, ...times };
    await db.insert(sessions).values(session);
    const read = (fields: { a: typeof accounts.id; b: typeof sessions.id | typeof sessions.tag }) =>
        db
            .select(fields)
            .from(accounts)
            .innerJoin(sessions, eq(sessions.accountId, accounts.id))
            .where(eq(accounts.id, 'joined'));

    await expect(writeBatch(db, [], [read({ a: accounts.id, b: sessions.id })])).rejects.toThrow('one name');
    const { reads } = await writeBatch(db, [], [read({ a: accounts.id, b: sessions.tag })]);
    expect(reads[0]).toEqual([{ a: 'joined', b: 'tag' }]);
});
