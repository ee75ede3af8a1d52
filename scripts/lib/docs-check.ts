import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import document from '../../openapi.json';
import manifest from '../../package.json';
import { inProject } from './project.mjs';

/** What the project has, for whatever its documents name. */
export interface Project {
    /** Paths below the root, `/` between their parts. */
    files: readonly string[];
    /** Paths that git ignores, because commands make them. */
    made: readonly string[];
    /** Names of package.json's scripts. */
    scripts: readonly string[];
    /** Packages of package.json. */
    packages: readonly string[];
    /** URL paths, parameters as `{id}`. */
    routes: readonly string[];
    /** Every NAME_IN_CAPITALS of the sources. */
    names: ReadonlySet<string>;
}

const DOCUMENTS = /^(README|ARCHITECTURE|CONTRIBUTING|CHANGELOG)\.md$|^docs\/[^/]+\.md$|^bench\/README\.md$/;
const EXTENSION = /\.(ts|mjs|js|json|md|sql|toml|ya?ml|html|sh)$/;
const NAME = /\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g;

/** Not in the document, since it cannot describe them. */
const FURTHER_ROUTES = ['/trpc', '/docs/viewer.js', '/docs/start.js'];

/** Paths of the machine, and variables of the command line `happy`, which is another project. */
const ELSEWHERE = new Set(['/proc', 'HAPPY_SERVER_URL', 'HAPPY_HOME_DIR', 'HAPPY_WEBAPP_URL']);

/** The project as git has it here; files that are new and not ignored count. */
export function readProject(): Project {
    const list = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
        cwd: inProject(),
        encoding: 'utf8',
    });
    const files = list.split('\0').filter(Boolean);
    const ofCode = files.filter(
        (file) =>
            !DOCUMENTS.test(file) && !/^drizzle\/|^yarn\.lock$|docs-check\.node\.spec\.ts$|\.(png|jpe?g)$/.test(file),
    );
    return {
        files,
        made: readText('.gitignore')
            .split('\n')
            .filter((line) => /^[.\w]/.test(line)),
        scripts: Object.keys(manifest.scripts),
        packages: Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }),
        routes: [...Object.keys(document.paths), ...FURTHER_ROUTES],
        names: new Set(ofCode.flatMap((file) => readText(file).match(NAME) ?? [])),
    };
}

/** The documents that are checked. */
export function documentsOf({ files }: Project): string[] {
    return files.filter((file) => DOCUMENTS.test(file));
}

/** Text of a file of the project; empty when it was deleted and git does not know yet. */
export function readText(file: string): string {
    try {
        return readFileSync(inProject(file), 'utf8');
    } catch {
        return '';
    }
}

/**
 * What a document names and the project has not: files, folders, commands, URL paths and variables.
 *
 * @param file path of the document below the root
 * @param text Markdown
 */
export function missingIn(file: string, text: string, project: Project): string[] {
    const folder = path.posix.dirname(file);
    const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = '']) =>
        /^([a-z]+:|#)/.test(target) ? [] : [target.replace(/#.*/, '')],
    );
    const missing = [
        ...links.filter((target) => !isLinkable(path.posix.join(folder, target), project)),
        ...codeOf(text).flatMap((code) => missingInCode(code, folder, project)),
        ...commandsIn(text, project),
        ...(text.match(NAME) ?? []).filter((name) => !ELSEWHERE.has(name) && !project.names.has(name)),
    ];
    return [...new Set(missing)];
}

function isLinkable(target: string, { files }: Project): boolean {
    return files.some((file) => file === target || file.startsWith(`${target.replace(/\/$/, '')}/`));
}

/** Code spans, and lines of code blocks. */
function codeOf(text: string): string[] {
    const blocks = [...text.matchAll(/^```.*\n([\s\S]*?)^```/gm)].flatMap(([, block = '']) => block.split('\n'));
    const prose = text.replaceAll(/^```.*\n[\s\S]*?^```/gm, '');
    return [...blocks, ...[...prose.matchAll(/`([^`]+)`/g)].map(([, span = '']) => span)];
}

function missingInCode(code: string, folder: string, project: Project): string[] {
    const words = code
        .replaceAll(/https?:\/\/(localhost:\d+|<[^>]+>)?/g, (url, host) => (host ? ' ' : url))
        .split(/[\s"'`()[\],;=]+/)
        .map((word) => word.replace(/[.:]+$/, ''));
    return words.filter((word) => {
        if (ELSEWHERE.has(word)) return false;
        if (/^\/[\w.]/.test(word)) return !hasRoute(word, project);
        return (
            namesFile(word, project) &&
            ![folder, '.', 'src'].some((base) => hasFile(path.posix.join(base, word), project))
        );
    });
}

/** Whether a word can only be a file or folder of this project. */
function namesFile(word: string, { files }: Project): boolean {
    if (!/^[.\w<*{][\w./<>*{}@-]*$/.test(word) || word.includes('//')) return false;
    const [first = '', ...rest] = word.split('/');
    const isFolder = rest.length > 0 && files.some((file) => file.startsWith(`${first}/`));
    return EXTENSION.test(word) || /^[^@]+\/$/.test(word) || isFolder;
}

/** `<name>` and `*` stand for one part of a path; a name alone may be anywhere. */
function hasFile(word: string, { files, made }: Project): boolean {
    const wanted = word.replace(/\/$/, '');
    if (made.some((entry) => `${wanted}/`.startsWith(`${entry.replace(/\/$/, '')}/`))) return true;
    const source = wanted.replaceAll(/[.+()]/g, String.raw`\$&`).replaceAll(/<[^>/]+>|\*+/g, '[^/]*');
    const anywhere = wanted.includes('/') ? '' : '(.*/)?';
    const pattern = new RegExp(`^${anywhere}${source}(/|$)`);
    return wanted === '.' || files.some((file) => pattern.test(file));
}

function hasRoute(word: string, { routes }: Project): boolean {
    const partsOf = (route: string) =>
        route
            .replace(/[?#].*/, '')
            .split('/')
            .filter(Boolean);
    const wanted = partsOf(word);
    return routes.some((route) => {
        const parts = partsOf(route);
        // `/trpc` and `/v1` stand for all that is below them.
        const isBelow = route === '/trpc' && wanted[0] === 'trpc';
        return isBelow || wanted.every((part, index) => part === parts[index] || isPlaceholder(part, parts[index]));
    });
}

function isPlaceholder(part: string, documented = ''): boolean {
    return /^(:\w+|\{\w+\}|<\w+>|…|\*)$/.test(part) && /^\{\w+\}$/.test(documented);
}

function commandsIn(text: string, { scripts, packages }: Project): string[] {
    const ofNpm = [...text.matchAll(/\b(?:npm run|yarn)(?: --\S+)* ([a-z][\w:-]*)/g)]
        .filter(([command, name = '']) => !scripts.includes(name) && command !== 'yarn install')
        .map(([command]) => command);
    const ofNpx = [...text.matchAll(/\bnpx ([a-z@][\w/-]*)/g)]
        .filter(([, name = '']) => !packages.includes(name))
        .map(([command]) => command);
    const isTestMissing = /\bnpm test\b/.test(text) && !scripts.includes('test');
    return [...ofNpm, ...ofNpx, ...(isTestMissing ? ['npm test'] : [])];
}

/** README's commands that can't be run by a check, each with its reason. */
const UNTRIABLE: Record<string, string> = {
    'npx wrangler login': 'opens a browser, for an account of Cloudflare',
};

/**
 * Commands of a document that neither `.ci/run` runs nor the table of commands has, in which every script is run.
 *
 * @param text Markdown
 * @param ciRun text of `.ci/run`
 * @param table text of the test with the table
 */
export function untriedIn(text: string, ciRun: string, table: string): string[] {
    const lines = codeOf(text)
        .map((line) => line.replace(/\s+#.*/, '').trim())
        .filter((line) => /^(npm|npx|node|bash|yarn) /.test(line));
    return lines.filter((line) => {
        const [, script] = /^(?:npm run|npm|yarn) (?:--\S+ )*([a-z][\w:-]*)/.exec(line) ?? [];
        if (!script) return line !== 'bash .ci/run' && !(line in UNTRIABLE);
        const runs = new RegExp(`npm run (--silent )?${script}(?![\\w:-])|\\btests \\d+ ${script} `);
        // The table has it in a row, or as the name of a row of its own.
        const isRow = new RegExp(`'${script}'|^ +${script}: \\[`, 'm').test(table);
        return !runs.test(ciRun) && !isRow;
    });
}
