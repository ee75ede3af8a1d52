import { describe, expect, it } from 'vitest';
import { detectType } from '@/storage/content-type';
import { image } from '@test/helpers/files';

const bytes = (text: string) => new TextEncoder().encode(text);
const detect = (head: Uint8Array, declared: string | null = null, name: string | null = null) =>
    detectType(head, true, { declared, name });
const refusal = expect.objectContaining({ reason: 'VALIDATION_FAILED' }) as Error;

describe('the type of real images', () => {
    it.each(['png', 'jpeg', 'gif', 'webp'] as const)('%s', (type) => {
        expect(detect(image(type))).toBe(`image/${type}`);
        expect(detect(image(type), `image/${type}`)).toBe(`image/${type}`);
        expect(detect(image(type), 'application/octet-stream', 'x.txt')).toBe(`image/${type}`);
    });

    it('is known by other names too', () => {
        expect(detect(image('jpeg'), 'IMAGE/JPG; q=1')).toBe('image/jpeg');
    });
});

describe('the type of documents', () => {
    it.each([
        ['%PDF-1.7\n', null, null, 'application/pdf'],
        ['hello', null, null, 'text/plain'],
        ['hello', 'application/x-www-form-urlencoded', null, 'text/plain'],
        ['', null, null, 'text/plain'],
        ['\x1b[31mred\x1b[0m\ttext\r\n', null, null, 'text/plain'],
        ['# Title', null, 'README.md', 'text/markdown'],
        ['# Title', 'text/markdown', null, 'text/markdown'],
        ['# Title', 'text/plain', 'README.md', 'text/plain'],
        ['{"a":1}', null, 'a.json', 'application/json'],
        ['\n [1]', 'application/json', null, 'application/json'],
        ['not json', null, 'a.json', 'text/plain'],
        ['grüße 日本 😀', 'text/plain; charset=utf-8', null, 'text/plain'],
        ['<?xml version="1.0"?><feed/>', null, null, 'text/plain'],
        ['Read <svg> and <html> about it', null, null, 'text/plain'],
    ])('%j declared as %s, named %s: %s', (text, declared, name, type) => {
        expect(detect(bytes(text), declared, name)).toBe(type);
    });

    it('is not lost where a character is cut at the end of what was read', () => {
        const head = bytes('日本').subarray(0, 5);
        expect(detectType(head, false, { declared: null, name: null })).toBe('text/plain');
        expect(() => detectType(head, true, { declared: null, name: null })).toThrow(refusal);
    });
});

describe('what is active is refused, whatever it is called', () => {
    it.each([
        '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        '\uFEFF<?xml version="1.0"?>\n<!-- x -->\n<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x.dtd">\n<SVG>',
        '<svg:svg xmlns:svg="http://www.w3.org/2000/svg"/>',
        '<!doctype html><p>',
        '  <!-- hidden -->\n<html><script>alert(1)</script>',
    ])('%j', (text) => {
        for (const declared of [null, 'text/plain', 'image/svg+xml', 'image/png']) {
            expect(() => detect(bytes(text), declared, 'picture.png')).toThrow(refusal);
        }
    });
});

describe('what is refused', () => {
    it.each([
        ['another image than declared', image('png'), 'image/jpeg'],
        ['an image declared as text', image('png'), 'text/plain'],
        ['text declared as an image', bytes('hello'), 'image/png'],
        ['text declared as JSON', bytes('hello'), 'application/json'],
        ['a type that is not stored', bytes('hello'), 'text/html'],
        ['an archive', bytes('PK\x03\x04\x14\x00'), null],
        ['a program', new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 2, 1]), null],
        ['text with a NUL', bytes('a\0b'), null],
        ['UTF-16', new Uint8Array([0xff, 0xfe, 0x41, 0]), null],
        ['a PDF behind something else', bytes('GIF8%PDF-1.7\0'), null],
    ])('%s', (_, head, declared) => {
        expect(() => detect(head, declared)).toThrow(refusal);
    });

    it('a polyglot is what it begins with: a GIF that is also a script is an image', () => {
        const polyglot = bytes('GIF89a/*\x01\x00*/=alert(1)//');
        expect(detect(polyglot)).toBe('image/gif');
        expect(() => detect(polyglot, 'text/javascript')).toThrow(refusal);
    });
});
