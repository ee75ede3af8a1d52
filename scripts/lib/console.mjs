/**
 * What every command says, in one voice: steps to stdout, failures to stderr with the way out beside them.
 */

/**
 * A failure the person at the keyboard can mend: printed without a stack, its hints as a list below it.
 */
export class CommandError extends Error {
    /**
     * @param {string} message what went wrong, one sentence
     * @param {string[]} [hints] what to do about it, one line each
     */
    constructor(message, hints = []) {
        super(message);
        this.name = 'CommandError';
        this.hints = hints;
    }
}

/** Ends a command by showing how it is used, which is no failure. */
export class Usage extends Error {}

/**
 * One line of progress.
 *
 * @param {string} text
 */
export function say(text) {
    process.stdout.write(`${text}\n`);
}

/**
 * Prints a failure: message and hints for a `CommandError`, the stack for anything unforeseen.
 *
 * @param {unknown} error
 */
export function complain(error) {
    if (!(error instanceof CommandError)) {
        process.stderr.write(`\n${error instanceof Error ? error.stack : String(error)}\n`);
        return;
    }
    const gap = error.message.includes('\n') && error.hints.length > 0 ? '\n' : '';
    const hints = error.hints.map((hint) => `  - ${hint}\n`).join('');
    process.stderr.write(`\n${error.message}\n${gap}${hints}`);
}

/**
 * Runs a command's body and turns whatever it throws into a printed failure and exit code 1.
 *
 * @param {() => Promise<void> | void} body
 */
export async function runCommand(body) {
    try {
        await body();
    } catch (error) {
        if (error instanceof Usage) {
            say(error.message);
            return;
        }
        complain(error);
        process.exitCode = 1;
    }
}
