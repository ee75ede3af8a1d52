/**
 * Prints what happens in an account, as it happens: npx tsx examples/follow.ts http://localhost:8787 <token>
 * Stop it with Ctrl-C. When the connection is lost it comes back by itself and misses nothing.
 */
import { createHappyClient } from 'happy-server-workers/client';

const [url, token] = process.argv.slice(2);
if (!url || !token) {
    console.error('Usage: npx tsx examples/follow.ts <server> <token>');
    process.exit(2);
}

const happy = createHappyClient({ url, token });

const following = happy.follow({
    onState: (state) => console.log(state === 'open' ? `Following ${url}` : 'Connecting …'),
    onUpdate: ({ seq, body, createdAt }) => console.log(`${new Date(createdAt).toISOString()} #${seq} ${body.t}`),
    onEphemeral: ({ type, ...rest }) => console.log(`${type} ${JSON.stringify(rest)}`),
    onResync: (seq) => console.log(`Too much was missed: load everything anew, as of #${seq}`),
    onError(error) {
        console.error(`${error.code}: ${error.message}`);
        process.exitCode = 1;
    },
});

process.once('SIGINT', () => {
    following.close();
    console.log(`Stopped after event ${following.lastEventId ?? '(none)'}.`);
});
