import { expect } from 'vitest';
import { createAccount } from '@test/helpers/account';
import type { TestAccount } from '@test/helpers/account';
import type { TestServer } from '@test/helpers/server';
import { updatesOf } from '@test/helpers/updates';

/** Two accounts that know nothing of each other. */
export async function twoAccounts(server: TestServer): Promise<[TestAccount, TestAccount]> {
    return [await createAccount(server), await createAccount(server)];
}

/** What one account makes of the other by adding or removing it. */
export async function act(action: 'add' | 'remove', who: TestAccount, whom: TestAccount): Promise<string> {
    const { status, body } = await who.call('POST', `/v1/friends/${action}`, { uid: whom.id });
    expect(status).toBe(200);
    return body.user.status;
}

/** How the two stand to each other, each as it sees the other. */
export async function standing(a: TestAccount, b: TestAccount): Promise<[string, string]> {
    const [ofB, ofA] = await Promise.all([a.call('GET', `/v1/users/${b.id}`), b.call('GET', `/v1/users/${a.id}`)]);
    return [ofB.body.user.status, ofA.body.user.status];
}

/** The bodies of an account's updates after a seq, each with its own seq. */
export async function bodiesOf(
    server: TestServer,
    account: TestAccount,
    after = 0,
): Promise<Record<string, unknown>[]> {
    const updates = await updatesOf(server, account, after);
    return updates.map(({ update: { seq, body } }) => ({ seq, ...body }));
}
