import { describe, expect, it } from 'vitest';
import { parseRange } from '@/storage/ranges';

describe('a range of an object of 1000 bytes', () => {
    it.each([
        ['bytes=0-0', { offset: 0, length: 1 }],
        ['bytes=0-499', { offset: 0, length: 500 }],
        ['bytes=500-', { offset: 500, length: 500 }],
        ['bytes=999-999', { offset: 999, length: 1 }],
        ['bytes=900-5000', { offset: 900, length: 100 }],
        ['bytes=-1', { offset: 999, length: 1 }],
        ['bytes=-1000', { offset: 0, length: 1000 }],
        ['bytes=-4000', { offset: 0, length: 1000 }],
        [' Bytes = 1 - 2 ', { offset: 1, length: 2 }],
    ])('%s', (header, range) => {
        expect(parseRange(header, 1000)).toEqual(range);
    });
});

describe('what no range can satisfy', () => {
    it.each([
        ['bytes=1000-', 1000],
        ['bytes=1000-2000', 1000],
        ['bytes=99999999999999999999-', 1000],
        ['bytes=-0', 1000],
        ['bytes=0-', 0],
        ['bytes=-5', 0],
    ])('%s of %i bytes', (header, size) => {
        expect(parseRange(header, size)).toBe('unsatisfiable');
    });
});

describe('what asks for the whole object', () => {
    it.each([
        undefined,
        '',
        'bytes=',
        'bytes=-',
        'bytes=5-2',
        'bytes=a-b',
        'bytes=0-1,5-9',
        'items=0-5',
        'bytes=1.5-2',
        '0-5',
    ])('%s', (header) => {
        expect(parseRange(header, 1000)).toBeNull();
    });
});
