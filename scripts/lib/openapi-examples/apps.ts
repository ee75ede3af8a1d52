import type { Examples } from './example';

export const versionExamples: Examples<'version'> = {
    check: {
        request: { platform: 'ios', version: '1.4.0', app_id: 'com.ex3ndr.happy' },
        response: { updateUrl: 'https://apps.apple.com/us/app/happy-claude-code-client/id6748571505' },
    },
};

export const devExamples: Examples<'dev'> = {
    log: {
        request: {
            timestamp: '2026-01-15T10:30:00.000Z',
            level: 'info',
            message: 'User action completed',
            source: 'mobile',
            platform: 'ios',
        },
        response: { success: true },
    },
};
