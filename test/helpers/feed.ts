import type { TestAccount } from '@test/helpers/account';
import type { TestServer } from '@test/helpers/server';

/** Puts an item into an account's feed as the server's own writes do: the counter taken in the same batch. */
export async function postToFeed(
    server: TestServer,
    account: TestAccount,
    body: object,
    repeatKey: string | null = null,
) {
    const { DB } = server.env;
    await DB.batch([
        DB.prepare('UPDATE Account SET feedSeq = feedSeq + 1 WHERE id = ?').bind(account.id),
        DB.prepare(
            `INSERT INTO UserFeedItem (id, userId, counter, repeatKey, body, createdAt, updatedAt)
             SELECT ?, id, feedSeq, ?, ?, 1701432000000, 1701432000000 FROM Account WHERE id = ?`,
        ).bind(crypto.randomUUID(), repeatKey, JSON.stringify(body), account.id),
    ]);
}
