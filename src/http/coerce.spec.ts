import * as z from 'zod';
import { describe, expect, it } from 'vitest';
import { coerceParameters, parameterKinds } from '@/http/coerce';
import { pageSize } from '@/utils/schema';

const schema = z
    .object({
        text: z.string(),
        count: z.int(),
        ratio: z.number().nullish(),
        flag: z.boolean().default(true),
        limit: pageSize(100, 10),
        piped: z.number().transform((value) => value * 2),
        prepared: z.preprocess((value) => value, z.boolean().optional()),
    })
    .refine(() => true);
const kinds = parameterKinds(schema);
const coerce = (query: string) => coerceParameters(kinds, new URLSearchParams(query));

describe('coerceParameters', () => {
    it.each([
        ['count=5', { count: 5 }],
        ['count=-5', { count: -5 }],
        ['count=007', { count: 7 }],
        ['ratio=0.25', { ratio: 0.25 }],
        ['limit=20', { limit: 20 }],
        ['piped=3', { piped: 3 }],
        ['flag=true', { flag: true }],
        ['flag=false', { flag: false }],
        ['prepared=false', { prepared: false }],
        ['text=5', { text: '5' }],
        ['text=true', { text: 'true' }],
        ['text=a%20b%2Bc', { text: 'a b+c' }],
    ])('%s', (query, input) => {
        expect(coerce(query)).toEqual(input);
    });

    it.each(['', ' 5', '5 ', '1e3', '0x10', '+5', '5.', '.5', 'NaN', 'Infinity', '١', '5,0', 'null', 'true'])(
        'leaves %j as it is for a number, so that the schema refuses it',
        (value) => {
            expect(coerceParameters(kinds, [['count', value]])).toEqual({ count: value });
        },
    );

    it.each(['', '0', '1', 'TRUE', 'False', 'yes', 'null'])('leaves %j as it is for a boolean', (value) => {
        expect(coerceParameters(kinds, [['flag', value]])).toEqual({ flag: value });
    });

    it('drops keys that the schema does not have, those of every object included', () => {
        expect(coerce('other=1&__proto__=1&constructor=1&toString=1&hasOwnProperty=1&count[]=1')).toEqual({});
    });

    it.each(['count=1&count=2', 'count=1&count=1', 'text=&text='])('refuses %s', (query) => {
        expect(() => coerce(query)).toThrow(
            expect.objectContaining({
                reason: 'VALIDATION_FAILED',
                issues: [{ path: query.split('=')[0], message: 'Given more than once' }],
            }),
        );
    });

    it('lets unknown keys repeat', () => {
        expect(coerce('x=1&x=2&count=3')).toEqual({ count: 3 });
    });
});

describe('parameterKinds', () => {
    it('leaves the schema as it is: tRPC goes on refusing text for a number', () => {
        coerce('count=5&flag=false');
        expect(schema.shape.count.safeParse('5').success).toBe(false);
        expect(schema.shape.flag.safeParse('false').success).toBe(false);
    });

    it('sees through a transform of the whole input', () => {
        const whole = parameterKinds(z.object({ n: z.number() }).transform(({ n }) => n));
        expect(coerceParameters(whole, [['n', '1']])).toEqual({ n: 1 });
    });

    it('knows no parameters without an object schema', () => {
        expect(parameterKinds(undefined).size).toBe(0);
        expect(parameterKinds(z.string()).size).toBe(0);
    });
});
