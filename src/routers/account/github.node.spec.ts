import { describe, expect, it } from 'vitest';
import { toGithub } from '@/routers/account/github';

const profile = { id: 1, login: 'octocat', name: 'Mona', avatar_url: 'https://a.test/1', bio: null, email: 'm@a.test' };

describe('toGithub', () => {
    it('keeps the few fields that clients see', () => {
        expect(toGithub({ ...profile, node_id: 'x', plan: { name: 'pro' } })).toEqual(profile);
    });

    it('leaves an unknown email out, names the nameless by login', () => {
        expect(toGithub({ ...profile, name: null, email: null })).toEqual({
            id: 1,
            login: 'octocat',
            name: 'octocat',
            avatar_url: 'https://a.test/1',
            bio: null,
        });
    });

    it.each([null, {}, { login: 'octocat' }, { id: '1', login: 'octocat' }, { id: 1 }])('is null for %j', (stored) => {
        expect(toGithub(stored)).toBeNull();
    });
});
