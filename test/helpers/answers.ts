import type { Answer } from '@test/helpers/account';
import type { TestServer } from '@test/helpers/server';

/** What an answer tells its caller, without what differs between any two: for answers that must not be told apart. */
export function told({ status, body }: Answer): { status: number; body: unknown } {
    const { requestId: _, ...rest } = body as Record<string, unknown>;
    return { status, body: rest };
}

/** How often the database was asked while `run` ran. */
export async function roundTripsOf(server: TestServer, run: () => Promise<unknown>): Promise<number> {
    const before = server.db.roundTrips;
    await run();
    return server.db.roundTrips - before;
}
