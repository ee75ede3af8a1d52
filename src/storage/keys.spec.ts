import { describe, expect, it } from 'vitest';
import { attachmentKey, fileKey, isAttachmentName, parseKey } from '@/storage/keys';

const NAME = '0f0f9bb0-7d0a-4b6e-9d35-1f2f6c0d9a77.enc';

describe('keys', () => {
    it('tell whose they are', () => {
        expect(parseKey(fileKey('account', 'file'))).toEqual({ accountId: 'account', id: 'file' });
        expect(parseKey(attachmentKey('session', NAME))).toEqual({ sessionId: 'session' });
    });

    it.each(['', 'ready', '/', 'a/', '/b', 'a/b/c', 'sessions/s/attachments/', 'sessions/s/attachments/a/b'])(
        'of somebody else say nothing: %s',
        (key) => {
            expect(parseKey(key)).toBeNull();
        },
    );
});

describe('the name of an attachment', () => {
    it('is a UUID and .enc', () => {
        expect(isAttachmentName(NAME)).toBe(true);
    });

    it.each([
        '',
        '.enc',
        '..',
        'a.enc',
        NAME.toUpperCase(),
        `../${NAME}`,
        `${NAME}/x`,
        `${NAME}\n`,
        NAME.replace('.enc', ''),
        `x${NAME}`,
    ])('is nothing else: %j', (name) => {
        expect(isAttachmentName(name)).toBe(false);
    });
});
