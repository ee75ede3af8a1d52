import * as z from 'zod';
import { describe, expect, it } from 'vitest';
import { base64, json, pageSize, text } from '@/utils/schema';

const accepts = (schema: z.ZodType, value: unknown) => schema.safeParse(value).success;

/** NUL and halves of surrogate pairs, at every place of a text. */
const UNSTORABLE = ['\0', 'a\0b', '\ud800', '\udfff', 'a\udbff', '\udc00b', '\ud83d\ud83d\udca5', '\udca5\ud83d'];

describe('text', () => {
    it.each([
        '',
        'a',
        '💥',
        'e\u0301',
        '\u0001\u001f\u007f',
        '\u2028\u2029',
        '\ufeff',
        '\ufffe\uffff',
        '\\u0000',
        'a'.repeat(10),
    ])('takes %j', (value) => {
        expect(text(10).parse(value)).toBe(value);
    });

    it.each(UNSTORABLE)('refuses %j', (value) => {
        expect(accepts(text(100), value)).toBe(false);
    });

    it('counts bytes of UTF-8', () => {
        expect(accepts(text(4), '💥')).toBe(true);
        expect(accepts(text(3), '💥')).toBe(false);
        expect(accepts(text(5), '€é')).toBe(true);
        expect(accepts(text(4), '€é')).toBe(false);
        expect(accepts(text(1_000_000), 'é'.repeat(500_000))).toBe(true);
        expect(accepts(text(1_000_000), 'é'.repeat(500_001))).toBe(false);
    });

    it('wants at least so much', () => {
        expect(accepts(text(5, 1), '')).toBe(false);
        expect(accepts(text(5, 1), 'a')).toBe(true);
    });

    it.each<unknown>([undefined, null, 1, true, [], {}, ['a'], { toString: 'a' }])('refuses %j', (value) => {
        expect(accepts(text(100), value)).toBe(false);
    });
});

describe('base64', () => {
    const four = base64({ min: 4, max: 4 });

    it('gives the bytes', () => {
        expect(four.parse('AAECAw==')).toEqual(new Uint8Array([0, 1, 2, 3]));
        expect(base64({ max: 3 }).parse('')).toEqual(new Uint8Array());
    });

    it.each([
        ['too short', 'AAEC'],
        ['too long', 'AAECAwQ='],
        ['no padding', 'AAECAw'],
        ['half the padding', 'AAECAw='],
        ['too much padding', 'AAECAw==='],
        ['padding in the middle', 'AA==AAEC'],
        ['unused bits set', 'AAECAx=='],
        ['base64url', '____-w=='.replace('_', '-')],
        ['white space', 'AAEC Aw=='],
        ['a line break', 'AAECAw==\n'],
        ['no base64', '💥💥'],
        ['NUL', 'AAECAw=\0'],
        ['a surrogate', 'AAECAw=\ud800'],
        ['bytes', new Uint8Array(4)],
        ['nothing', null],
    ])('refuses %s', (_, value) => {
        expect(accepts(four, value)).toBe(false);
    });

    it('refuses much text without decoding it', () => {
        expect(four.safeParse('A'.repeat(10_000_000)).error?.issues[0]).toMatchObject({ code: 'too_big' });
    });

    it('takes every length within its bounds', () => {
        const schema = base64({ min: 1, max: 100 });
        for (let length = 0; length <= 101; length += 1) {
            const encoded = Buffer.alloc(length, 7).toString('base64');
            expect([length, accepts(schema, encoded)]).toEqual([length, length >= 1 && length <= 100]);
        }
    });
});

describe('pageSize', () => {
    it.each([
        [undefined, 50],
        [null, 50],
        [1, 1],
        [200, 200],
    ])('%j is %i', (value, size) => {
        expect(pageSize(200, 50).parse(value)).toBe(size);
    });

    it.each([0, 201, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '50', true, [50]])(
        'refuses %j',
        (value) => {
            expect(accepts(pageSize(200, 50), value)).toBe(false);
        },
    );
});

describe('json', () => {
    const any = json(1_000_000);
    const nested = (levels: number): unknown => JSON.parse(`${'[{"a":'.repeat(levels / 2)}1${'}]'.repeat(levels / 2)}`);

    it.each([
        null,
        0,
        '',
        'text',
        true,
        [],
        {},
        { t: 'encrypted', c: 'Yw==' },
        [1, [2, { three: '💥' }]],
        '\\u0000',
        '\\\\ud800',
    ])('takes %j as it is', (value) => {
        expect(any.parse(value)).toEqual(value);
    });

    it.each(UNSTORABLE)('refuses %j as a value, in a list and as a key', (value) => {
        for (const holder of [value, [[value]], { a: { [value]: 1 } }, { a: `\\\\${value}` }]) {
            expect(accepts(any, holder)).toBe(false);
        }
    });

    it('ends at so many bytes', () => {
        expect(accepts(json(10), '12345678')).toBe(true);
        expect(accepts(json(10), '123456789')).toBe(false);
        expect(accepts(json(10), '€€€')).toBe(false);
    });

    it("ends at 500 levels, well before SQLite's own 1,000", () => {
        expect(accepts(any, nested(500))).toBe(true);
        for (const levels of [502, 1000, 100_000, 1_000_000]) expect(accepts(any, nested(levels))).toBe(false);
    });

    it('is required', () => {
        expect(accepts(z.object({ content: any }), {})).toBe(false);
        expect(accepts(any, undefined)).toBe(false);
    });
});
