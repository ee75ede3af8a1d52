/**
 * The name an object goes by: a hub's is its account, a gateway's its address for hubs.
 *
 * The runtime tells it only to an instance that was called by name; one that an alarm or a hibernated socket has woken
 * does not hear it, and has to have kept it.
 */
export function readOwnName({ id, storage: { sql } }: DurableObjectState): string {
    sql.exec('CREATE TABLE IF NOT EXISTS OwnName (name TEXT PRIMARY KEY) WITHOUT ROWID');
    const [kept] = sql.exec<{ name: string }>('SELECT name FROM OwnName').toArray();
    if (kept) return kept.name;
    if (id.name === undefined) throw new Error('An object that was never called by its name');
    sql.exec('INSERT INTO OwnName (name) VALUES (?)', id.name);
    return id.name;
}
