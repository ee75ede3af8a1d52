import type { Examples } from './example';
import { SEALED } from './example';

const item = { key: 'settings:theme', value: SEALED, version: 3 };

export const kvExamples: Examples<'kv'> = {
    get: { request: { key: item.key }, response: item },
    list: { request: { prefix: 'settings:', limit: 100 }, response: { items: [item] } },
    bulk: { request: { keys: [item.key, 'settings:sounds'] }, response: { values: [item] } },
    mutate: {
        request: {
            mutations: [
                { key: item.key, value: SEALED, version: 3 },
                { key: 'settings:new', value: SEALED, version: -1 },
                { key: 'settings:old', value: null, version: 0 },
            ],
        },
        response: {
            success: true,
            results: [
                { key: item.key, version: 4 },
                { key: 'settings:new', version: 0 },
                { key: 'settings:old', version: 1 },
            ],
        },
    },
};
