import type { Examples } from './example';
import { THEN } from './example';

const uid = 'cmgx4s0bb9z8y7x6w5v4u3t2s';

const user = { id: uid, firstName: 'John', lastName: null, username: 'john', avatar: null, bio: 'Likes the sea' };

export const userExamples: Examples<'users'> = {
    search: { request: { query: 'jo', limit: 10 }, response: { users: [{ ...user, status: 'none' }] } },
    get: { request: { id: uid }, response: { user: { ...user, status: 'friend' } } },
};

export const friendExamples: Examples<'friends'> = {
    list: { request: {}, response: { friends: [{ ...user, status: 'friend' }] } },
    add: { request: { uid }, response: { user: { ...user, status: 'requested' } } },
    remove: { request: { uid }, response: { user: { ...user, status: 'rejected' } } },
};

export const feedExamples: Examples<'feed'> = {
    list: {
        request: { before: 'cursor_43', limit: 50 },
        response: {
            items: [
                {
                    id: 'cmgx4s0cc5a4s3d2f1g0h9j8k',
                    body: { kind: 'friend_request', type: 'friend_request', uid },
                    repeatKey: `friend_request_${uid}`,
                    cursor: 'cursor_42',
                    createdAt: THEN,
                },
            ],
            hasMore: true,
        },
    },
};
