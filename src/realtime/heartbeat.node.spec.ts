import { describe, expect, it } from 'vitest';
import type { Connection } from '@/realtime/connection';
import { isMuted, judgeHeartbeat, withHeartbeat, withMute } from '@/realtime/heartbeat';
import type { Heartbeat, Verdict } from '@/realtime/heartbeat';

const NOW = 1_700_000_000_000;
const fresh: Connection = {
    v: 1,
    id: 'c',
    wire: 'native',
    accountId: 'a',
    tokenId: 't',
    issuedAt: 0,
    clientType: 'session-scoped',
    sessionId: 's',
    connectedAt: NOW,
};
const beat = (now: number, thinking = false): Heartbeat => ({ kind: 'session', id: 's', time: now, thinking });

/** Plays heartbeats; tells for each whether it was written and announced. */
function play(beats: [afterMs: number, thinking?: boolean][]) {
    let connection = fresh;
    return beats.map(([afterMs, thinking]) => {
        const now = NOW + afterMs;
        const verdict = judgeHeartbeat(connection, beat(now, thinking), now);
        if (verdict) connection = withHeartbeat(connection, beat(now, thinking), verdict, now);
        return `${verdict?.write ? 'write ' : ''}${verdict?.announce ? 'announce' : ''}`.trim();
    });
}

describe('a heartbeat', () => {
    it('is written and announced the first time, then written after 30 s and announced after 60 s', () => {
        expect(play([[0], [2_000], [29_999], [30_000], [59_999], [60_000], [89_999], [90_000]])).toEqual([
            'write announce',
            '',
            '',
            'write',
            '',
            'write announce',
            '',
            'write',
        ]);
    });

    it('waits for others that are soon due before it is announced, but no longer than half a minute', () => {
        const first = judgeHeartbeat(fresh, beat(NOW), NOW, () => true);
        expect(first).toMatchObject({ announce: true });
        const connection = withHeartbeat(fresh, beat(NOW), first as Verdict, NOW);
        const announced = (afterMs: number, soonDue: boolean, thinking = false) => {
            const now = NOW + afterMs;
            return judgeHeartbeat(connection, beat(now, thinking), now, () => soonDue)?.announce ?? false;
        };
        expect([announced(59_999, false), announced(60_000, false)]).toEqual([false, true]);
        expect([announced(60_000, true), announced(89_999, true), announced(90_000, true)]).toEqual([
            false,
            false,
            true,
        ]);
        expect(announced(60_000, true, true)).toBe(true);
    });

    it('is announced at once when thinking begins or ends, without a write', () => {
        expect(
            play([
                [0, false],
                [1, true],
                [2, true],
                [3, false],
            ]),
        ).toEqual(['write announce', 'announce', '', 'announce']);
    });

    it('counts as now if it comes from the future, and is ignored if older than ten minutes', () => {
        expect(judgeHeartbeat(fresh, beat(NOW + 5), NOW)?.at).toBe(NOW);
        expect(judgeHeartbeat(fresh, beat(NOW - 600_000), NOW)?.at).toBe(NOW - 600_000);
        expect(judgeHeartbeat(fresh, beat(NOW - 600_001), NOW)).toBeNull();
    });

    it('is ignored while muted, and then like a first one', () => {
        const muted = withMute(fresh, beat(NOW), NOW + 60_000, NOW);
        expect(judgeHeartbeat(muted, beat(NOW + 59_999), NOW + 59_999)).toBeNull();
        expect(judgeHeartbeat(muted, beat(NOW + 60_000), NOW + 60_000)).toMatchObject({ write: true, announce: true });
        expect([isMuted(muted, 'session', 's', NOW), isMuted(muted, 'machine', 's', NOW)]).toEqual([true, false]);
    });

    it('of one object too many on a socket counts like a first one, while the others stay remembered', () => {
        let connection = fresh;
        const round = (now: number) =>
            Array.from({ length: 40 }, (_, i) => {
                const one: Heartbeat = { ...beat(now), kind: 'machine', id: `${i}`.padEnd(36, '-') };
                const verdict = judgeHeartbeat(connection, one, now);
                if (verdict) connection = withHeartbeat(connection, one, verdict, now);
                return verdict !== null;
            });
        expect(round(NOW)).not.toContain(false);
        for (const now of [NOW + 2_000, NOW + 4_000]) {
            const acted = round(now);
            expect(acted.lastIndexOf(false)).toBeGreaterThan(25);
            expect(acted.slice(0, 26)).not.toContain(true);
        }
        expect(JSON.stringify(connection.beats).length).toBeLessThan(4_500);
    });

    it('is forgotten once its object has ended', () => {
        let connection = fresh;
        for (let i = 0; i < 20; i++) {
            const now = NOW + i * 60_000;
            const one = { ...beat(now), id: `s${i}` };
            const verdict = judgeHeartbeat(connection, one, now);
            expect(verdict).toMatchObject({ write: true, announce: true });
            if (verdict) connection = withHeartbeat(connection, one, verdict, now);
        }
        expect(Object.keys(connection.beats ?? {})).toHaveLength(1);
    });
});
