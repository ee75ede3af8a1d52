import type { AddressedUpdate, Update } from '@/realtime/updates';
import type { TestAccount } from '@test/helpers/account';
import type { TestServer } from '@test/helpers/server';

/** An update whose body may be asked for any field. */
interface ToldUpdate extends Omit<AddressedUpdate, 'update'> {
    update: Omit<Update, 'body'> & { body: Record<string, unknown> };
}

/** What the account's hub was told: every update after `seq`, in order. */
export async function updatesOf(server: TestServer, account: TestAccount, seq = 0): Promise<ToldUpdate[]> {
    return server.env.ACCOUNT_HUB.getByName(account.id).updatesSince(seq);
}

/** The account's own counter, as far as its updates went. */
export async function seqOf(server: TestServer, account: TestAccount): Promise<number> {
    const row = await server.env.DB.prepare('SELECT seq FROM Account WHERE id = ?')
        .bind(account.id)
        .first<{ seq: number }>();
    return row?.seq ?? -1;
}
