import { CommandError, say } from './console.mjs';

/**
 * One step of a command that changes something far away.
 *
 * @typedef {object} Step
 * @property {string} title as in "Apply the migrations to happy-prod"
 * @property {string} would what exactly it does, for a dry run
 * @property {boolean} [isHarmless] changes nothing and needs no login: a dry run runs it
 * @property {() => Promise<string>} run returns what came of it, in a line
 */

/**
 * Runs steps in their order and says of each what came of it. A step that fails says what was done before and what was
 * not, so that nobody has to guess.
 *
 * @param {Step[]} steps each of which does nothing when it is done already
 * @param {boolean} isDryRun says what the steps would do, and runs only the harmless ones
 * @throws {CommandError}
 */
export async function runSteps(steps, isDryRun) {
    for (const [index, { title, would, isHarmless, run }] of steps.entries()) {
        say(`${index + 1}/${steps.length}  ${title}`);
        if (isDryRun) say(`     ${isHarmless ? 'runs now' : 'would'}: ${would}`);
        if (isDryRun && !isHarmless) continue;
        try {
            say(`     ${await run()}`);
        } catch (error) {
            throw explain(error, steps, index, isDryRun);
        }
    }
}

/**
 * @param {unknown} error
 * @param {Step[]} steps
 * @param {number} index
 * @param {boolean} isDryRun
 */
function explain(error, steps, index, isDryRun) {
    const known = error instanceof CommandError ? error : new CommandError(String(error));
    const hints = [...known.hints];
    const titles = (/** @type {Step[]} */ some) => some.map(({ title }) => title).join('; ');
    if (!isDryRun && index > 0) {
        hints.push(`Done before: ${titles(steps.slice(0, index))}.`);
        hints.push(`Not done: ${titles(steps.slice(index))}.`);
    }
    if (!isDryRun) hints.push('Once that is mended, run the same command again: what is done already is left alone.');
    return new CommandError(`Step ${index + 1} of ${steps.length} failed. ${known.message}`, hints);
}
