/** How often a lost gateway is looked for before it is given up: its sockets have long reconnected elsewhere. */
const ATTEMPTS = 30;

/** Gateways that a hub could not reach, kept in its SQLite until they answer. */
export interface LostGateways {
    add(gateway: string): void;
    remove(gateway: string): void;
    /** Those that are still looked for; each call counts as an attempt. */
    takeAttempt(): string[];
    any(): boolean;
}

/** Opens the list of lost gateways. */
export function createLostGateways({ sql }: DurableObjectStorage): LostGateways {
    sql.exec('CREATE TABLE IF NOT EXISTS LostGateway (name TEXT PRIMARY KEY, attempts INTEGER NOT NULL) WITHOUT ROWID');
    const names = () => sql.exec<{ name: string }>('SELECT name FROM LostGateway').toArray();
    return {
        add(gateway) {
            sql.exec('INSERT OR REPLACE INTO LostGateway (name, attempts) VALUES (?, 0)', gateway);
        },
        remove(gateway) {
            sql.exec('DELETE FROM LostGateway WHERE name = ?', gateway);
        },
        takeAttempt() {
            const found = names().map(({ name }) => name);
            sql.exec('UPDATE LostGateway SET attempts = attempts + 1');
            sql.exec('DELETE FROM LostGateway WHERE attempts >= ?', ATTEMPTS);
            return found;
        },
        any: () => names().length > 0,
    };
}
