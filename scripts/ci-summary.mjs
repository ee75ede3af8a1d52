/**
 * Counts what a CI run did and prints the closing lines. Usage: node scripts/ci-summary.mjs STEPS
 * STEPS has a line per step: name, exit code, seconds and, for a test run, the file of its JSON report, by tabs.
 */
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { isMain } from './lib/project.mjs';

/**
 * @typedef {object} Counts
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 *
 * @typedef {object} Report the part of vitest's JSON report that is read here
 * @property {number} numPassedTests
 * @property {number} numFailedTests
 * @property {number} numPendingTests
 * @property {number} numTodoTests
 * @property {{ name: string, status: string, message?: string, assertionResults: TestResult[] }[]} testResults
 *
 * @typedef {{ fullName: string, status: string, failureMessages: string[] }} TestResult
 */

/**
 * What a step counts for: a test run its tests, anything else one.
 *
 * @param {number} exitCode
 * @param {Report | null | undefined} report undefined for a step without tests, null for a run that left no report
 * @returns {Counts}
 */
export function countStep(exitCode, report) {
    if (!report) {
        const isOk = exitCode === 0 && report === undefined;
        return { passed: isOk ? 1 : 0, failed: isOk ? 0 : 1, skipped: 0 };
    }
    // A file that could not even be loaded has no tests that could fail.
    const broken = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
    const failed = report.numFailedTests + broken.length;
    const passed = report.numPassedTests;
    // Errors outside of a test, and a run without a single test, must not look like success.
    const isWrongAnyway = failed === 0 && (exitCode !== 0 || passed === 0);
    return {
        passed,
        failed: isWrongAnyway ? 1 : failed,
        skipped: report.numPendingTests + report.numTodoTests,
    };
}

/**
 * The closing lines of a run; the last one is plain `N passed, N failed`, with `, N skipped` where something was.
 *
 * @param {{ name: string, seconds: string, counts: Counts }[]} steps
 * @returns {string[]}
 */
export function closingLines(steps) {
    const sum = (/** @type {keyof Counts} */ key) => steps.reduce((total, { counts }) => total + counts[key], 0);
    const lines = steps.map(({ name, seconds, counts }) => {
        const mark = counts.failed > 0 ? 'FAILED' : 'ok';
        return `${mark.padEnd(8)}${`${seconds} s`.padStart(7)}  ${name.padEnd(44)} ${counted(counts)}`;
    });
    return [...lines, '', counted({ passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') })];
}

/**
 * What failed in a test run, a line per test or unloadable file with the first line of its reason, so that the end of a
 * long log is enough to know.
 *
 * @param {Report | null | undefined} report
 * @returns {string[]}
 */
export function failures(report) {
    const firstLine = (/** @type {string | undefined} */ text) => {
        const line = (text ?? '').trim().split('\n', 1)[0];
        // All that vitest's JSON report says of a test whose time was up.
        return line === 'Error: STACK_TRACE_ERROR' ? 'timed out' : line;
    };
    return (report?.testResults ?? []).flatMap(({ name, status, message, assertionResults }) => {
        const tests = assertionResults
            .filter((test) => test.status === 'failed')
            .map((test) => `${test.fullName}: ${firstLine(test.failureMessages[0])}`);
        const lines = status === 'failed' && tests.length === 0 ? [firstLine(message)] : tests;
        return lines.map((line) => `FAILED  ${relative(process.cwd(), name)}: ${line}`);
    });
}

/** @param {Counts} counts */
function counted({ passed, failed, skipped }) {
    return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** @param {string} file */
function readReport(file) {
    if (!existsSync(file)) {
        return null;
    }
    try {
        return /** @type {Report} */ (JSON.parse(readFileSync(file, 'utf8')));
    } catch {
        return null;
    }
}

if (isMain(import.meta.url)) {
    const lines = readFileSync(process.argv[2] ?? '', 'utf8')
        .split('\n')
        .filter(Boolean);
    const steps = lines.map((line) => {
        const [name = '', exitCode, seconds = '', report] = line.split('\t');
        const tests = report ? readReport(report) : undefined;
        return { name, seconds, counts: countStep(Number(exitCode), tests), failed: failures(tests) };
    });
    const failed = steps.flatMap((step) => step.failed);
    process.stdout.write(`${[...failed, ...closingLines(steps)].join('\n')}\n`);
    process.exitCode = steps.length === 0 || steps.some(({ counts }) => counts.failed > 0) ? 1 : 0;
}
