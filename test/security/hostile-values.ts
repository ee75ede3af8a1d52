import * as fc from 'fast-check';

/** Texts that have broken servers before: markers of SQL, paths and numbers, and what UTF-8, D1 or SQLite cannot hold. */
const TEXTS = [
    '',
    ' ',
    '\0',
    'a\0b',
    '\ud800',
    'a\udc00b',
    '\ufeff',
    '\u202e',
    '💥',
    'e\u0301',
    'null',
    'undefined',
    'true',
    'NaN',
    '-Infinity',
    '1e999',
    '0x10',
    '-0',
    '9007199254740993',
    '99999999999999999999',
    "' OR 1=1 --",
    '"; DROP TABLE Account; --',
    '%',
    '_',
    '\\',
    '../../etc/passwd',
    '%2e%2e%2f',
    '%00',
    '${7*7}',
    '<script>alert(1)</script>',
    '\r\nX-Injected: 1',
    '__proto__',
    'constructor',
    'toString',
    'AAA',
    'AAAA=',
    'AA==AA==',
    '____',
    'cursor_v1_',
    'cursor_-1',
    '0--1',
    '{}',
    'x'.repeat(300),
    'é'.repeat(200),
    'x'.repeat(20_000),
];

const NUMBERS = [0, -0, -1, 1, 0.5, 2 ** 31, 2 ** 53, -(2 ** 53), 1e15, 1e21, 1e308, -1e308, 5e-324];

/** A text that means harm. */
export const hostileText = fc.oneof(fc.constantFrom(...TEXTS), fc.string({ unit: 'binary', maxLength: 20 }));

/** Any JSON value that means harm. */
export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
    hostileText,
    fc.constantFrom<unknown>(...NUMBERS, null, true, false, [], {}, [[]], [null], [{}], { length: 1 }, { toString: 1 }),
    fc.constantFrom(10, 600, 5000).map(nested),
    hostileText.map((text) => [text]),
    hostileText.map((text) => ({ [text]: text })),
    fc.constant(Array.from({ length: 1001 }, (_, i) => i)),
);

/** Whole bodies that are not the JSON object they should be. */
export const hostileBody: fc.Arbitrary<string | Uint8Array> = fc.oneof(
    fc.constantFrom(
        '',
        ' ',
        '{',
        '}',
        'null',
        'true',
        '0',
        '"text"',
        '[]',
        '[{}]',
        '{"a":1,"a":2}',
        '{"a":"\\ud800"}',
        '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
        '\ufeff{}',
        "{'a':1}",
        '{"a":1e999}',
        '['.repeat(50_000),
        `${'['.repeat(50_000)}${']'.repeat(50_000)}`,
        `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`,
        'a=1&b=2',
        '--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nb\r\n--x--\r\n',
    ),
    fc.uint8Array({ maxLength: 30 }),
);

/** One change to a value: at the place that `at` falls on, something else, nothing, or something more. */
export interface Mutation {
    at: number;
    kind: 'replace' | 'remove' | 'add';
    key: string;
    value: unknown;
}

/** Changes that spoil a value which would be accepted. */
export const mutation: fc.Arbitrary<Mutation> = fc.record({
    at: fc.nat({ max: 1000 }),
    kind: fc.constantFrom('replace', 'replace', 'replace', 'remove', 'add'),
    key: fc.oneof(fc.constantFrom('__proto__', 'constructor', 'id', 'accountId', 'hard', ''), hostileText),
    value: hostileValue,
});

/** A copy of `value` with the changes made one after the other. */
export function mutate(value: unknown, mutations: Mutation[]): unknown {
    return mutations.reduce(mutateOnce, value);
}

function mutateOnce(value: unknown, { at, kind, key, value: other }: Mutation): unknown {
    if (typeof value !== 'object' || value === null) return kind === 'replace' ? other : value;
    const entries: [string, unknown][] = Object.entries(value);
    const index = entries.length === 0 ? 0 : at % entries.length;
    const entry = entries[index];
    if (kind === 'add' || !entry) return rebuild(value, [...entries, [key, other]]);
    const [name, inner] = entry;
    if (kind === 'remove') return rebuild(value, entries.toSpliced(index, 1));
    // Half of the time deeper, where there is something deeper.
    const deeper = typeof inner === 'object' && inner !== null && at % 2 === 0;
    const changed = deeper ? mutateOnce(inner, { at: Math.floor(at / 2), kind, key, value: other }) : other;
    return rebuild(value, entries.toSpliced(index, 1, [name, changed]));
}

function rebuild(like: object, entries: [string, unknown][]): unknown {
    if (Array.isArray(like)) return entries.map(([, inner]) => inner);
    // `fromEntries` defines properties, so `__proto__` becomes a key like any other.
    return Object.fromEntries(entries);
}

function nested(levels: number): unknown {
    return JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`);
}
