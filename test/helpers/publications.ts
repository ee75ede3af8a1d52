import { runDurableObjectAlarm } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { onTestFinished, vi } from 'vitest';
import { GAP_HOLD_MS } from '@/realtime/update-stream';
import type { TestAccount } from '@test/helpers/account';
import { accountOf, createAccount, createSession } from '@test/helpers/account';
import type { HubProbe } from '@test/helpers/hubs';
import { probeHubs } from '@test/helpers/hubs';
import type { TestServer } from '@test/helpers/server';
import { startServer } from '@test/helpers/server';
import type { TestSocket } from '@test/helpers/socket';

/** Two servers on one database: what the first publishes can get lost or come late, the second serves sockets. */
export interface Publications {
    server: TestServer;
    hubs: HubProbe;
    /** Its publications always arrive, and its sockets are upgraded. */
    sound: TestServer;
    /** The same account on the sound server. */
    soundly(account: TestAccount): TestAccount;
    /** The next publication never arrives: its Worker dies after the commit. */
    loseNext(): void;
    /** Lets the time pass that the account's hub waits for what is missing. */
    endPatience(account: TestAccount): Promise<void>;
    /** Keeps publications on their way until the test ends. */
    delay(ms: () => number): void;
    /** An account with a session, which is its first update. */
    setUp(): Promise<{ account: TestAccount; sid: string }>;
}

/** Starts the two servers. */
export function startPublications(): Publications {
    const hubs = probeHubs();
    const server = startServer({ ACCOUNT_HUB: hubs.binding });
    const sound = startServer();
    return {
        server,
        hubs,
        sound,
        soundly: (account) => accountOf(sound, account.token, account.keys),
        loseNext: () => hubs.loseNext(1),
        async endPatience({ id }) {
            onTestFinished(() => void vi.useRealTimers());
            vi.setSystemTime(Date.now() + GAP_HOLD_MS);
            await runDurableObjectAlarm(env.ACCOUNT_HUB.getByName(id));
        },
        delay(ms) {
            hubs.delay(ms);
            onTestFinished(() => hubs.delay(() => 0));
        },
        async setUp() {
            const account = await createAccount(server);
            return { account, sid: await createSession(account) };
        },
    };
}

/** Numbers of the updates that a socket got live or when it came. */
export function seqs(socket: TestSocket): number[] {
    return socket.updates().map(({ seq }) => seq as number);
}

/** How often a socket was told to start over, and from where. */
export function resyncs(socket: TestSocket): { seq: number }[] {
    return socket.all('resync') as { seq: number }[];
}
