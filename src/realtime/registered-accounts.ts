/** How many hubs are told of lost sockets at a time: an invocation of the free plan may make 50 calls. */
const REPORTS = 40;
/** When a hub that could not be told is told again, in ms. */
const REPORT_AGAIN_MS = 10_000;

/**
 * Accounts whose hubs know of sockets in a gateway, kept in its SQLite: after a crash the sockets are gone without a
 * closing, and the hubs are told (contract 13, Gateway).
 */
export interface RegisteredAccounts {
    add(accountId: string): void;
    remove(accountId: string): void;
    /** Tells the hubs, some at a time, and again those that could not be told. */
    reportLost(): Promise<void>;
}

interface Options {
    storage: DurableObjectStorage;
    /** Whether the gateway holds sockets of the account now. */
    isHere(accountId: string): boolean;
    /** Has an account's hub agree with the gateway on its sockets. */
    tell(accountId: string): Promise<unknown>;
    /** Sets the time at which to call `reportLost` again, Unix ms; null for none. */
    setDue(at: number | null): void;
    onError(error: unknown): void;
}

/** Opens the list of a gateway's accounts. */
export function createRegisteredAccounts({ storage, isHere, tell, setDue, onError }: Options): RegisteredAccounts {
    const { sql } = storage;
    sql.exec('CREATE TABLE IF NOT EXISTS RegisteredAccount (id TEXT PRIMARY KEY) WITHOUT ROWID');
    let untold: string[] = [];

    const accounts: RegisteredAccounts = {
        add(accountId) {
            sql.exec('INSERT OR IGNORE INTO RegisteredAccount (id) VALUES (?)', accountId);
        },
        remove(accountId) {
            sql.exec('DELETE FROM RegisteredAccount WHERE id = ?', accountId);
        },
        async reportLost() {
            if (untold.length === 0) {
                const registered = sql.exec<{ id: string }>('SELECT id FROM RegisteredAccount').toArray();
                untold = registered.map(({ id }) => id);
            }
            const failed: string[] = [];
            for (const id of untold.splice(0, REPORTS)) {
                try {
                    await tell(id);
                    if (!isHere(id)) accounts.remove(id);
                } catch (error) {
                    onError(error);
                    failed.push(id);
                }
            }
            untold.push(...failed);
            const wait = failed.length > 0 ? REPORT_AGAIN_MS : 0;
            setDue(untold.length > 0 ? Date.now() + wait : null);
        },
    };
    return accounts;
}
