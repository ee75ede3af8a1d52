import { describe, expect, it } from 'vitest';
import { getMachineId, getSessionId } from '@/realtime/protocol/ids';

describe('getSessionId', () => {
    it.each([
        ['sid', { sid: 's1' }],
        ['sessionId', { sessionId: 's1' }],
        ['id', { id: 's1' }],
        ['sid rather than the id of the update', { id: 'update-9', sid: 's1' }],
        ['sessionId rather than the id of the object', { id: 'key-9', sessionId: 's1' }],
    ])('reads %s', (_, payload) => {
        expect(getSessionId(payload)).toBe('s1');
    });
});

describe('getMachineId', () => {
    it.each([
        ['machineId', { machineId: 'm1' }],
        ['id', { id: 'm1' }],
        ['machineId rather than the id of the update', { id: 'update-9', machineId: 'm1' }],
    ])('reads %s', (_, payload) => {
        expect(getMachineId(payload)).toBe('m1');
    });
});
