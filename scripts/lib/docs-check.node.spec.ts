import { describe, expect, it } from 'vitest';
import { documentsOf, missingIn, readProject, readText, untriedIn } from './docs-check';

const project = readProject();
const missing = (text: string, file = 'README.md') => missingIn(file, text, project);

describe('what the documents name', () => {
    it.each(documentsOf(project))('%s names nothing that is not there', (file) => {
        expect(missing(readText(file), file)).toEqual([]);
    });

    it('there are documents to check', () => {
        expect(documentsOf(project)).toEqual(
            expect.arrayContaining(['README.md', 'ARCHITECTURE.md', 'bench/README.md', 'docs/stock-clients.md']),
        );
    });

    it('each command of README.md is run by .ci/run, or by the table of commands', () => {
        const untried = untriedIn(
            readText('README.md'),
            readText('.ci/run'),
            readText('scripts/commands.node.spec.ts'),
        );
        expect(untried).toEqual([]);
    });
});

describe('the check finds', () => {
    it.each([
        ['a file', 'It is in `src/app-of-old.ts`.', 'src/app-of-old.ts'],
        ['a file by its name alone', 'See `app-of-old.ts`.', 'app-of-old.ts'],
        ['a folder', 'All of `src/lost/`.', 'src/lost/'],
        ['a file below src', 'All of `http/lost.ts`.', 'http/lost.ts'],
        ['a file in a code block', '```\nsrc/lost  what was lost\n```', 'src/lost'],
        ['a file behind a placeholder', '`routers/<domain>/lost.ts`', 'routers/<domain>/lost.ts'],
        ['the target of a link', '[how](docs/lost.md#part)', 'docs/lost.md'],
        ['a script', 'Then npm run lost.', 'npm run lost'],
        ['a script with flags', '```\nnpm run --silent lost:again -- --port 1\n```', 'npm run --silent lost:again'],
        ['a script by Yarn', '`yarn lost`', 'yarn lost'],
        ['a script file', '`node scripts/lost.mjs --all`', 'scripts/lost.mjs'],
        ['a package that npx would fetch', '`npx lost-tool check`', 'npx lost-tool'],
        ['a URL path', '`GET /v1/lost`', '/v1/lost'],
        ['a URL path below one that is there', '`/health/lost`', '/health/lost'],
        ['a parameter where a path has none', '`/v1/sessions/:id/:what`', '/v1/sessions/:id/:what'],
        ['a URL path of the local server', '`curl http://localhost:8787/lost`', '/lost'],
        ['a variable', 'Set HAPPY_LOST_SECRET.', 'HAPPY_LOST_SECRET'],
    ])('%s that is missing', (_, text, name) => {
        expect(missing(text)).toEqual([name]);
    });

    it.each([
        'The `http/rest.ts` of `src/app.ts`, and [the licence](LICENSE), `rest.ts`, `routers/<domain>/router.ts`.',
        'In `.dev.vars`, `.wrangler/state` and `dist/client`, which commands make.',
        '`npm run dev -- --port 8788`, npm test, `yarn install`, `yarn db:migrate`, `npx wrangler login`',
        '`DELETE /v1/sessions/:id?hard=true`, `/v1`, `/trpc/sessions.list`, `http://localhost:8787/health`, `/v1/kv/<key>`',
        'HAPPY_MASTER_SECRET, `GATEWAY_SHARDS`, `NOT_FOUND`',
        '`application/json`, `@trpc/client`, `https://example.com/a/b.ts`, `and/or`',
    ])('nothing in: %s', (text) => {
        expect(missing(text)).toEqual([]);
    });

    it('a link by where its document is', () => {
        expect(missing('[clients](stock-clients.md)', 'docs/typed-client.md')).toEqual([]);
        expect(missing('[clients](stock-clients.md)')).toEqual(['stock-clients.md']);
    });

    it('a command that nothing runs', () => {
        const text = [
            '`npm run dev`',
            '```bash',
            'npm test',
            'npm run lint:fix -- --all # mends',
            'npm run lin',
            '```',
        ];
        const ciRun = 'npm run dev -- --quiet\ntests 1500 test "$work"\nnpm run --silent lint:fix:more';
        expect(untriedIn(text.join('\n'), ciRun, '')).toEqual(['npm run lint:fix -- --all', 'npm run lin']);
        expect(untriedIn(text.join('\n'), ciRun, "{ script: 'lint:fix' }")).toEqual(['npm run lin']);
        expect(untriedIn(text.join('\n'), ciRun, "{ script: 'lint:fix' },\n    lin: ['.ci/run']")).toEqual([]);
        expect(untriedIn('`node scripts/setup.mjs`, `npx wrangler login`', '', '')).toEqual(['node scripts/setup.mjs']);
    });
});
