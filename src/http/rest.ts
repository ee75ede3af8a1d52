import type { AnyProcedure } from '@trpc/server';
import type { Context, Hono } from 'hono';
import type * as z from 'zod';
import { createContext } from '@/http/context';
import { readJson } from '@/http/body';
import { coerceParameters } from '@/http/coerce';
import { dialectOf } from '@/http/dialect';
import type { HonoEnv } from '@/http/hono-env';
import { answerWithEtag } from '@/http/etag';
import { appRouter } from '@/routers';
import type { Meta } from '@/trpc';

/** A REST route of a procedure, as `meta.openapi` and `meta.aliases` declare it. */
export interface RestRoute {
    method: string;
    /** Hono's spelling: `/v1/sessions/:id`. */
    path: string;
    procedurePath: string;
    procedure: AnyProcedure;
    meta: Meta;
}

/** Every REST route of the router, aliases included. */
export function restRoutes(): RestRoute[] {
    // tRPC keeps them flat at run time, under names like `sessions.create`; its type is nested.
    const procedures = appRouter._def.procedures as unknown as Record<string, AnyProcedure>;
    return Object.entries(procedures).flatMap(([procedurePath, procedure]) => {
        const meta = procedure._def.meta as Meta | undefined;
        if (!meta?.openapi) return [];
        const { method, path } = meta.openapi;
        const places = [{ method, path }, ...(meta.aliases ?? []).map((alias) => ({ method, ...alias }))];
        return places.map((place) => ({
            method: place.method,
            path: place.path.replace(/\{(\w+)\}/g, ':$1'),
            procedurePath,
            procedure,
            meta,
        }));
    });
}

/** Registers one Hono route per REST path: the facade that legacy clients use (contract 8). */
export function mountRest(app: Hono<HonoEnv>): void {
    for (const route of restRoutes()) app.on(route.method, route.path, (c) => call(c, route));
}

async function call(c: Context<HonoEnv>, route: RestRoute): Promise<Response> {
    const { procedure, procedurePath, meta } = route;
    const dialect = dialectOf(c.req.raw, procedurePath);
    // A procedure is called as tRPC itself calls it, so its middleware runs before any input is read.
    const output: unknown = await (procedure as unknown as CallableProcedure)({
        ctx: createContext(c),
        path: procedurePath,
        type: procedure._def.type,
        getRawInput: async () => ({ ...(await readInput(c, route)), ...dialect?.input }),
        signal: c.req.raw.signal,
        batchIndex: 0,
    });
    const failed = meta.failureStatus !== undefined && (output as { success?: boolean }).success === false;
    const body = dialect?.output ? dialect.output(output as never) : output;
    return c.json(body as object, failed ? meta.failureStatus : 200);
}

type CallableProcedure = (options: {
    ctx: unknown;
    path: string;
    type: string;
    getRawInput: () => Promise<unknown>;
    signal: AbortSignal;
    batchIndex: number;
}) => Promise<unknown>;

async function readInput(c: Context<HonoEnv>, { procedure }: RestRoute): Promise<object> {
    const shape = shapeOf(procedure);
    if (meta.etagWithout) return answerWithEtag(c, body as object, meta.etagWithout);
    const query = coerceParameters(shape, new URL(c.req.url).searchParams);
    const path = coerceParameters(shape, Object.entries(c.req.param()));
    const body = c.req.method === 'GET' || c.req.method === 'HEAD' ? {} : await readJson(c.req.raw);
    // Anything but an object goes to the schema as it is, which says what it expected.
    if (typeof body !== 'object' || body === null || Array.isArray(body)) return body as object;
    return { ...query, ...body, ...path };
}

function shapeOf(procedure: AnyProcedure): Record<string, z.core.$ZodType> {
    const [input] = (procedure._def as unknown as { inputs: z.ZodObject[] }).inputs;
    return input?.shape ?? {};
}
