import { expect, it } from 'vitest';
import { createBoundedCache } from '@/crypto/bounded-cache';

it('never holds more than its capacity', () => {
    const cache = createBoundedCache<number>(3);
    for (let index = 0; index < 100; index++) {
        cache.set(`key ${index}`, index);
        expect(cache.size).toBeLessThanOrEqual(3);
    }
    expect(cache.get('key 99')).toBe(99);
    expect(cache.get('key 96')).toBeUndefined();
});

it('forgets the least recently used entry first', () => {
    const cache = createBoundedCache<number>(2);
    cache.set('a', 1);
    cache.set('b', 2);
    cache.get('a');
    cache.set('c', 3);
    expect(cache.get('a')).toBe(1);
    expect(cache.get('b')).toBeUndefined();
});

it('replaces a value without growing', () => {
    const cache = createBoundedCache<number>(2);
    cache.set('a', 1);
    cache.set('b', 2);
    cache.set('a', 3);
    expect(cache.size).toBe(2);
    expect(cache.get('b')).toBe(2);
    expect(cache.get('a')).toBe(3);
});

it('counts setting as use', () => {
    const cache = createBoundedCache<number>(2);
    cache.set('a', 1);
    cache.set('b', 2);
    cache.set('a', 3);
    cache.set('c', 4);
    expect(cache.get('b')).toBeUndefined();
    expect(cache.get('a')).toBe(3);
});

it('lists its entries, and forgets one when asked', () => {
    const cache = createBoundedCache<number>(3);
    cache.set('a', 1);
    cache.set('b', 2);
    for (const [key] of cache.entries()) if (key === 'a') cache.delete(key);
    expect([...cache.entries()]).toEqual([['b', 2]]);
    expect(cache.size).toBe(1);
});
