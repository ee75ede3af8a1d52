/** How often a lost gateway is looked for before it is given up: its sockets have long reconnected elsewhere. */
const ATTEMPTS = 30;

/**
 * Gateways that a hub could not reach, kept in its SQLite until it has agreed with them on their sockets. One that is
 * looked for no more may come back by itself, with a socket.
 */
export interface LostGateways {
    add(gateway: string): void;
    remove(gateway: string): void;
    has(gateway: string): boolean;
    /** Those that are still looked for; each call counts as an attempt. */
    takeAttempt(): string[];
    anyLookedFor(): boolean;
}

/** Opens the list of lost gateways. */
export function createLostGateways({ sql }: DurableObjectStorage): LostGateways {
    sql.exec('CREATE TABLE IF NOT EXISTS LostGateway (name TEXT PRIMARY KEY, attempts INTEGER NOT NULL) WITHOUT ROWID');
    const lookedFor = () =>
        sql.exec<{ name: string }>('SELECT name FROM LostGateway WHERE attempts < ?', ATTEMPTS).toArray();
    return {
        add(gateway) {
            sql.exec('INSERT OR REPLACE INTO LostGateway (name, attempts) VALUES (?, 0)', gateway);
        },
        remove(gateway) {
            sql.exec('DELETE FROM LostGateway WHERE name = ?', gateway);
        },
        has: (gateway) => sql.exec('SELECT 1 FROM LostGateway WHERE name = ?', gateway).toArray().length > 0,
        takeAttempt() {
            const found = lookedFor().map(({ name }) => name);
            sql.exec('UPDATE LostGateway SET attempts = attempts + 1 WHERE attempts < ?', ATTEMPTS);
            return found;
        },
        anyLookedFor: () => lookedFor().length > 0,
    };
}
