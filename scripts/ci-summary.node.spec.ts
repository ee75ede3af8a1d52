import { describe, expect, it } from 'vitest';
import { closingLines, countStep, failures } from './ci-summary.mjs';

const report = (counts: Partial<Record<'passed' | 'failed' | 'pending' | 'todo', number>>, files: string[] = []) => ({
    numPassedTests: counts.passed ?? 0,
    numFailedTests: counts.failed ?? 0,
    numPendingTests: counts.pending ?? 0,
    numTodoTests: counts.todo ?? 0,
    testResults: files.map((status) => ({ name: 'a.spec.ts', status, assertionResults: [] })),
});

describe('the count of a CI run', () => {
    it.each([
        ['a step that worked', 0, undefined, { passed: 1, failed: 0, skipped: 0 }],
        ['a step that failed', 2, undefined, { passed: 0, failed: 1, skipped: 0 }],
        ['a test run', 0, report({ passed: 7, pending: 2, todo: 1 }), { passed: 7, failed: 0, skipped: 3 }],
        ['a test run with failures', 1, report({ passed: 7, failed: 2 }), { passed: 7, failed: 2, skipped: 0 }],
        ['a test file that did not load', 1, report({ passed: 7 }, ['failed']), { passed: 7, failed: 1, skipped: 0 }],
        ['an error outside of a test', 1, report({ passed: 7 }), { passed: 7, failed: 1, skipped: 0 }],
        ['a test run without tests', 0, report({}), { passed: 0, failed: 1, skipped: 0 }],
        ['a test run that left no report', 0, null, { passed: 0, failed: 1, skipped: 0 }],
    ])('takes %s for what it is', (_what, exitCode, given, expected) => {
        expect(countStep(exitCode, given)).toEqual(expected);
    });

    it('ends with one plain line', () => {
        const tests = { name: 'tests', seconds: '61', counts: { passed: 40, failed: 1, skipped: 2 } };
        const lint = { name: 'lint', seconds: '3', counts: { passed: 1, failed: 0, skipped: 0 } };
        expect(closingLines([tests, lint]).at(-1)).toBe('41 passed, 1 failed, 2 skipped');
        expect(closingLines([lint]).at(-1)).toBe('1 passed, 0 failed');
        expect(closingLines([tests, lint])[0]).toMatch(/^FAILED +61 s +tests/);
    });

    it('names what failed, with the first line of its reason', () => {
        const test = (fullName: string, status: string, ...failureMessages: string[]) => ({
            fullName,
            status,
            failureMessages,
        });
        const testResults = [
            {
                name: `${process.cwd()}/src/a.spec.ts`,
                status: 'failed',
                assertionResults: [
                    test('a works', 'passed'),
                    test('a counts', 'failed', 'Error: 1 is not 2\n  at a.ts'),
                ],
            },
            {
                name: `${process.cwd()}/src/b.spec.ts`,
                status: 'failed',
                message: 'no such module',
                assertionResults: [],
            },
            {
                name: `${process.cwd()}/src/d.spec.ts`,
                status: 'failed',
                assertionResults: [test('waits', 'failed', 'Error: STACK_TRACE_ERROR\n    at c')],
            },
            { name: `${process.cwd()}/src/c.spec.ts`, status: 'passed', assertionResults: [test('c', 'passed')] },
        ];
        expect(failures({ ...report({ passed: 2, failed: 1 }), testResults })).toEqual([
            'FAILED  src/a.spec.ts: a counts: Error: 1 is not 2',
            'FAILED  src/b.spec.ts: no such module',
            'FAILED  src/d.spec.ts: waits: timed out',
        ]);
        expect([failures(null), failures(undefined)]).toEqual([[], []]);
    });
});
