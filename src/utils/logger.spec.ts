import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLogger } from '@/utils/logger';

let out: string[];
let err: string[];

beforeEach(() => {
    out = [];
    err = [];
    vi.spyOn(console, 'log').mockImplementation((line: string) => void out.push(line));
    vi.spyOn(console, 'error').mockImplementation((line: string) => void err.push(line));
});
afterEach(() => {
    vi.restoreAllMocks();
});

function logAll(threshold: string | undefined) {
    const log = createLogger({ requestId: 'r' }, threshold);
    log.debug('d');
    log.info('i');
    log.error('e');
    return [...out, ...err].map((line) => (JSON.parse(line) as { message: string }).message);
}

describe('createLogger', () => {
    it.each([
        ['debug', ['d', 'i', 'e']],
        ['info', ['i', 'e']],
        [undefined, ['i', 'e']],
        ['error', ['e']],
    ])('with threshold %s writes %j', (threshold, messages) => {
        expect(logAll(threshold)).toEqual(messages);
    });

    it('takes a threshold that it does not know for none: better too much than nothing', () => {
        expect(logAll('verbose')).toEqual(['d', 'i', 'e']);
    });

    it('writes one line of JSON with the base and its own fields, errors to stderr', () => {
        const log = createLogger({ requestId: 'r' }, 'info');
        log.info('said', { text: 'a\n"b"\u2028', ms: 1.5, no: null, missing: undefined });
        log.error('failed', { status: 500 });
        expect(out).toHaveLength(1);
        expect(out[0]).not.toContain('\n');
        expect(JSON.parse(out[0] ?? '')).toEqual({
            level: 'info',
            message: 'said',
            requestId: 'r',
            text: 'a\n"b"\u2028',
            ms: 1.5,
            no: null,
        });
        expect(err.map((line) => JSON.parse(line) as unknown)).toEqual([
            { level: 'error', message: 'failed', requestId: 'r', status: 500 },
        ]);
    });
});
