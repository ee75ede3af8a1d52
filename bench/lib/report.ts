import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { inProject } from '../../scripts/lib/project.mjs';
import type { RealtimeFigures } from '../realtime';
import type { RowsWritten } from '../rows';
import type { StockFigures } from '../stock';
import type { Comparison } from './compare';

/** Everything one run found out, and where. */
export interface Results {
    date: string;
    machine: { cpu: string; cores: number; memoryGb: number; platform: string };
    versions: Record<string, string>;
    facade: Comparison[];
    rows: RowsWritten[];
    realtime: RealtimeFigures;
    /** Of a full run only. */
    stock?: StockFigures;
}

/** Adds to figures when, where and with what they were measured. */
export function asResults(figures: Pick<Results, 'facade' | 'rows' | 'realtime' | 'stock'>): Results {
    const [cpu] = os.cpus();
    const packages = ['workerd', 'miniflare', 'wrangler', 'hono', '@trpc/server', 'zod', 'drizzle-orm'];
    return {
        date: new Date().toISOString().slice(0, 10),
        machine: {
            cpu: cpu?.model.trim() ?? 'unknown',
            cores: os.cpus().length,
            memoryGb: Math.round(os.totalmem() / 2 ** 30),
            platform: `${os.platform()} ${os.arch()}`,
        },
        versions: {
            node: process.versions.node,
            ...Object.fromEntries(packages.map((name) => [name, versionOf(name)])),
        },
        ...figures,
    };
}

/** The figures as Markdown tables: for people at a terminal, and for the README. */
export function asMarkdown({ date, machine, versions, facade, rows, realtime, stock }: Results): string {
    const { deliveries, rates } = realtime;
    return [
        `${date}, ${machine.cores} cores (${machine.cpu}), Node.js ${versions.node}, workerd ${versions.workerd}.`,
        table(
            ['CPU against a bare handler', 'REST', 'tRPC', 'bare handler, µs'],
            facade.map(({ name, ratios, cpuUs }) => [name, times(ratios.rest), times(ratios.trpc), shown(cpuUs.floor)]),
        ),
        table(
            ['D1 rows written', 'measured', 'budget'],
            rows.map(({ name, rows: written, budget }) => [name, String(written), `≤ ${budget}`]),
        ),
        table(
            ['Delivery', 'p50, ms', 'p99, ms', 'deliveries/s', 'CPU per delivery, µs'],
            deliveries.map(({ name, p50Ms, p99Ms, perSecond, cpuUs }) => [
                name,
                String(p50Ms),
                String(p99Ms),
                String(perSecond),
                shown(cpuUs),
            ]),
        ),
        table(
            ['Sockets, one at a time', 'per second', 'CPU each, µs'],
            rates.map(({ name, perSecond, cpuUs }) => [name, String(perSecond), shown(cpuUs)]),
        ),
        ...(stock ? stockTables(stock) : []),
    ].join('\n\n');
}

function stockTables({ cpu, deliveries, wakes }: StockFigures): string[] {
    return [
        table(
            ['Stock sockets: CPU of a frame', 'in a gateway, µs', 'native in the hub, µs', 'ratio'],
            cpu.map(({ name, cpuUs, ratios }) => [
                name,
                shown(cpuUs.gateway),
                shown(cpuUs.floor),
                times(ratios.gateway),
            ]),
        ),
        table(
            [
                'To 10 stock sockets, against plain Socket.IO in Node.js',
                'p50 here / there, ms',
                'p99 here / there, ms',
                'p50 ratio',
                'p99 ratio',
            ],
            deliveries.map(({ name, p50Ms, p99Ms, ratios }) => [
                name,
                `${p50Ms.worker} / ${p50Ms.node}`,
                `${p99Ms.worker} / ${p99Ms.node}`,
                times(ratios.p50),
                times(ratios.p99),
            ]),
        ),
        table(
            ['Heartbeats of a daemon and two sessions, by the hour', 'hub called', 'hub woken', 'hub awake, s'],
            wakes.map(({ name, calls, wakes: woken, awakeS }) => [name, String(calls), String(woken), String(awakeS)]),
        ),
    ];
}

const START = '<!-- figures of the latest run, written by npm run bench -->';
const END = '<!-- end of figures -->';

/** Keeps the results of a full run: as JSON, and in the README. */
export function keep(results: Results): void {
    mkdirSync(inProject('bench', 'results'), { recursive: true });
    writeFileSync(inProject('bench', 'results', 'latest.json'), `${JSON.stringify(results, null, 4)}\n`);
    const readme = inProject('bench', 'README.md');
    const text = readFileSync(readme, 'utf8');
    const [head] = text.split(START);
    const [, tail] = text.split(END);
    writeFileSync(readme, `${head}${START}\n\n${asMarkdown(results)}\n\n${END}${tail}`);
}

function table(head: string[], rows: string[][]): string {
    const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
    const line = (cells: string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
    return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

function times(ratio: number | null | undefined): string {
    return ratio == null ? 'not measured' : `${ratio.toFixed(2)}×`;
}

function shown(value: number | null | undefined): string {
    return value == null ? 'not measured' : String(value);
}

function versionOf(name: string): string {
    return (JSON.parse(readFileSync(inProject('node_modules', name, 'package.json'), 'utf8')) as { version: string })
        .version;
}
