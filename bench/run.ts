/**
 * `npm run bench`: every benchmark; keeps the figures in bench/. `npm run bench:ci` measures less, keeps nothing and
 * fails when the REST facade takes twice the CPU of a bare handler, or when something writes more rows than it may.
 */
import { CommandError, runCommand, say } from '../scripts/lib/console.mjs';
import { measureFacade } from './facade';
import type { Comparison, Rounds } from './lib/compare';
import { asMarkdown, asResults, keep } from './lib/report';
import { measureRealtime } from './realtime';
import { countRows } from './rows';
import { measureStock } from './stock';

/** Contract 11: CI fails where the facade takes more than this. The goal is 1.5. */
const MOST = 2;

const isCi = process.argv.includes('--ci');
const FULL: Rounds = { rounds: 15, requests: 300, warmUp: 1000 };
const SMALL: Rounds = { rounds: 5, requests: 150, warmUp: 300 };
const SECOND_LOOK: Rounds = { rounds: 9, requests: 200, warmUp: 600 };
const AMOUNTS = isCi
    ? { messages: 20, echoes: 5_000, connects: 50, heartbeats: 500 }
    : { messages: 200, echoes: 25_000, connects: 300, heartbeats: 5_000 };

await runCommand(async () => {
    if (process.platform !== 'linux') {
        say('CPU time of another process is read from /proc, which only Linux has: ratios are SKIPPED here.');
    }
    const results = asResults({
        rows: await countRows(),
        facade: await measureFacade(isCi ? SMALL : FULL),
        realtime: await measureRealtime(AMOUNTS),
        ...(!isCi && { stock: await measureStock() }),
    });
    say(asMarkdown(results));
    if (!isCi) keep(results);

    const overdrawn = results.rows.filter(({ rows, budget }) => rows > budget);
    if (overdrawn.length > 0) {
        throw new CommandError(
            `More rows written than contract 11 allows: ${overdrawn.map(({ name }) => name).join(', ')}.`,
        );
    }
    let slow = tooSlow(results.facade);
    if (slow.length > 0) {
        say(`\nOver ${MOST}×: ${slow.join(', ')}. Measuring again, longer: this machine may be busy.`);
        slow = tooSlow(await measureFacade(SECOND_LOOK));
    }
    if (slow.length > 0) {
        throw new CommandError(`The REST facade takes over ${MOST}× the CPU of a bare handler: ${slow.join(', ')}.`, [
            'Goal and limit are in contract 11; bench/README.md says how this is measured.',
        ]);
    }
});

function tooSlow(comparisons: Comparison[]): string[] {
    return comparisons
        .filter(({ ratios }) => (ratios.rest ?? 0) > MOST)
        .map(({ name, ratios }) => `${name} (${ratios.rest}×)`);
}
