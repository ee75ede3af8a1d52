import type { Examples } from './example';
import { SEALED, THEN } from './example';

const profile = {
    id: 'cmgx4s0aa1k2j3h4g5f6d7s8a',
    timestamp: THEN,
    firstName: 'Jane',
    lastName: 'Doe',
    username: 'janedoe',
    avatar: null,
    github: { id: 42, login: 'janedoe', name: 'Jane Doe', avatar_url: 'https://avatars.example.com/42', bio: null },
    connectedServices: ['anthropic', 'openai'],
};

export const accountExamples: Examples<'account'> = {
    profile: { request: {}, response: profile },
    updateProfile: {
        request: { firstName: 'Jane', lastName: 'Doe', username: 'janedoe' },
        response: { success: true, profile },
    },
    settings: { request: {}, response: { settings: SEALED, settingsVersion: 5 } },
    updateSettings: { request: { settings: SEALED, expectedVersion: 5 }, response: { success: true, version: 6 } },
};
