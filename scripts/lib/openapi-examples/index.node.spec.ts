import type * as z from 'zod';
import { describe, expect, it } from 'vitest';
import { restRoutes } from '@/http/rest';
import { exampleOf, examples } from './index';

const domains = Object.keys(examples);
const schemas = new Map(
    restRoutes().map(({ procedurePath, procedure }) => {
        const { inputs, output } = procedure._def as unknown as { inputs: z.ZodType[]; output: z.ZodType };
        return [procedurePath, { input: inputs[0]!, output }];
    }),
);
const documented = [...schemas].filter(([path]) => domains.includes(path.split('.')[0]!));

describe.each(documented)('the example of %s', (path, { input, output }) => {
    it('is there', () => {
        expect(exampleOf(path)).toBeDefined();
    });

    it('is a request that the procedure takes', () => {
        expect(input.safeParse(exampleOf(path)?.request).error).toBeUndefined();
    });

    it('is an answer that it can give', () => {
        const response = exampleOf(path)?.response;
        expect(output.parse(response)).toEqual(response);
    });
});

it('no example is of a procedure that is gone', () => {
    const named = Object.entries(examples).flatMap(([domain, ofDomain]) =>
        Object.keys(ofDomain).map((name) => `${domain}.${name}`),
    );
    expect(named.sort()).toEqual(documented.map(([path]) => path).sort());
});
