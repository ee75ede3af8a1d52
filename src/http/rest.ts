import type { AnyProcedure } from '@trpc/server';
import type { Context, Hono } from 'hono';
import type * as z from 'zod';
import { createContext } from '@/http/context';
import { readJsonObject } from '@/http/body';
import { coerceParameters, parameterKinds } from '@/http/coerce';
import type { ParameterKinds } from '@/http/coerce';
import { dialectOf } from '@/http/dialect';
import { answerWithEtag } from '@/http/etag';
import type { HonoEnv } from '@/http/hono-env';
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
    /** Which of the procedure's paths it is: 0 is the main one, further ones are aliases. */
    place: number;
}

/** Every REST route of the router, aliases included; literal paths before patterns that match them too. */
export function restRoutes(): RestRoute[] {
    // tRPC keeps them flat at run time, under names like `sessions.create`; its type is nested.
    const procedures = appRouter._def.procedures as unknown as Record<string, AnyProcedure>;
    const routes = Object.entries(procedures).flatMap(([procedurePath, procedure]): RestRoute[] => {
        const meta = procedure._def.meta as Meta | undefined;
        if (!meta?.openapi) return [];
        const { method, path } = meta.openapi;
        const places = [{ method, path }, ...(meta.aliases ?? []).map((alias) => ({ method, ...alias }))];
        return places.map((at, place) => ({
            method: at.method,
            path: at.path.replace(/\{(\w+)\}/g, ':$1'),
            procedurePath,
            procedure,
            meta,
            place,
        }));
    });
    // `~` sorts after every character that a literal segment has.
    const order = ({ path }: RestRoute) => path.replaceAll(':', '~');
    return routes.sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

/** Registers one Hono route per REST path: the facade that legacy clients use (contract 8). */
export function mountRest(app: Hono<HonoEnv>): void {
    for (const route of restRoutes()) {
        // Walking a schema costs, so it is done on the first call rather than at every start or every call.
        let kinds: ParameterKinds | undefined;
        app.on(route.method, route.path, (c) => {
            kinds ??= parameterKinds(inputOf(route.procedure));
            return call(c, route, kinds);
        });
    }
}

async function call(c: Context<HonoEnv>, route: RestRoute, kinds: ParameterKinds): Promise<Response> {
    const { procedure, procedurePath, meta } = route;
    const dialect = dialectOf(c.req.raw, procedurePath);
    // A procedure is called as tRPC itself calls it, so its middleware runs before any input is read.
    const output: unknown = await (procedure as unknown as CallableProcedure)({
        ctx: createContext(c),
        path: procedurePath,
        type: procedure._def.type,
        getRawInput: async () => ({ ...(await readInput(c, kinds)), ...dialect?.input }),
        signal: c.req.raw.signal,
        batchIndex: 0,
    });
    const failed = meta.failureStatus !== undefined && (output as { success?: boolean }).success === false;
    const body = dialect?.output ? dialect.output(output as never) : output;
    if (meta.etagWithout) return answerWithEtag(c, body as object, meta.etagWithout);
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

async function readInput(c: Context<HonoEnv>, kinds: ParameterKinds): Promise<object> {
    const { method, raw } = c.req;
    const reads = method === 'GET' || method === 'HEAD';
    // A body has its fields documented there, and secrets must not end up in a URL: then the query counts for nothing.
    const query = reads || method === 'DELETE' ? coerceParameters(kinds, searchParams(raw.url)) : {};
    const body = reads ? {} : await readJsonObject(raw);
    return { ...query, ...body, ...coerceParameters(kinds, Object.entries(c.req.param())) };
}

function searchParams(url: string): Iterable<[string, string]> {
    return url.includes('?') ? new URL(url).searchParams : [];
}

function inputOf(procedure: AnyProcedure): z.core.$ZodType | undefined {
    return (procedure._def as unknown as { inputs: z.core.$ZodType[] }).inputs[0];
}
