import type { Connection } from '@/realtime/connection';

/** Keeps the database's word on machines in step with their sockets: online from the first to the last (contract 5.1). */
export interface MachinePresence {
    opened(connection: Connection): Promise<void>;
    closed(connections: Connection[]): Promise<void>;
}

interface Options {
    /** Every open socket of the account. */
    connections(): Connection[];
    /** Writes and tells that a machine is online or offline. */
    mark(machineId: string, online: boolean): Promise<void>;
    onError(error: unknown): void;
}

/**
 * Creates the presence of an account's machines. One mark at a time, and each looks at the sockets when its turn comes:
 * a machine whose last socket closes while its next one opens ends up online, whatever the database did first.
 */
export function createMachinePresence({ connections, mark, onError }: Options): MachinePresence {
    let turn = Promise.resolve();
    const isOnline = (id: string) => connections().some((one) => machineOf(one) === id);

    function settle(id: string): Promise<void> {
        turn = turn.then(() => mark(id, isOnline(id))).catch(onError);
        return turn;
    }

    return {
        async opened(connection) {
            const machineId = machineOf(connection);
            if (machineId === undefined) return;
            const isFirst = !connections().some(
                (other) => machineOf(other) === machineId && other.id !== connection.id,
            );
            if (isFirst) await settle(machineId);
        },
        async closed(gone) {
            const machineIds = new Set(gone.flatMap((connection) => machineOf(connection) ?? []));
            await Promise.all([...machineIds].filter((id) => !isOnline(id)).map(settle));
        },
    };
}

/** The machine that speaks through a socket; whoever only reads what concerns it is not the machine. */
function machineOf({ wire, machineId }: Connection): string | undefined {
    return wire === 'sse' ? undefined : machineId;
}
