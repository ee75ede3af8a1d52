import { initTRPC } from '@trpc/server';
import type { OpenApiMeta, OpenApiMethod } from 'trpc-to-openapi';
import type { Context } from '@/context';
import { ServiceError, toPublicError } from '@/errors';

/** A further REST path of a procedure; method and fields as the main one unless said. */
export interface RestAlias {
    method?: OpenApiMethod;
    path: `/${string}`;
}

/** Meta of a procedure: its documented REST path (trpc-to-openapi's type) and what the REST facade adds to it. */
export interface Meta extends OpenApiMeta {
    aliases?: RestAlias[];
    /** HTTP status of an outcome body `{success:false, …}` (contract 2); 200 unless said. */
    failureStatus?: 409;
    /** REST answers carry a weak ETag over the body without these fields, and are 304 for who has it (contract 4.5). */
    etagWithout?: string[];
}

/** Settings of a REST path beyond method, path and summary. */
export interface RestOptions {
    description?: string;
    aliases?: RestAlias[];
    failureStatus?: 409;
    etagWithout?: string[];
    /** Error statuses to document beyond those that follow from the shape, such as 409. */
    errorResponses?: number[];
    /** False for paths without a bearer token. */
    protect?: boolean;
}

/** Calls in one batched request: each may cost a round trip, and a free Worker has 50 subrequests. */
export const MAX_BATCH = 20;

/** Ids of requests that tRPC refused before it asked for their context, by the error; the HTTP door fills it in. */
export const requestIds = new WeakMap<Error, string>();

const t = initTRPC
    .context<Context>()
    .meta<Meta>()
    .create({
        // tRPC's own default is true in workerd even in production builds, and would send stacks.
        isDev: false,
        // Often enough to keep a stream open, seldom enough for a free Worker's CPU allowance.
        sse: { ping: { enabled: true, intervalMs: 20_000 }, client: { reconnectAfterInactivityMs: 50_000 } },
        errorFormatter({ shape, error, ctx }) {
            const { code, status, trpcCode, message, issues } = toPublicError(error);
            const requestId = ctx?.requestId ?? requestIds.get(error);
            const { path } = shape.data;
            return {
                ...shape,
                message,
                data: { code: trpcCode, httpStatus: status, path, error: code, requestId, issues },
            };
        },
    });

export const router = t.router;

/** A procedure anybody may call. Where nothing of its input is required, it may be called without any. */
export const publicProcedure = t.procedure.use(({ getRawInput, next }) =>
    next({
        async getRawInput() {
            const input = await getRawInput();
            return input === undefined ? {} : input;
        },
    }),
);

/** A procedure anybody may call, so often per address; `share` names a limit of its own beside that of logins. */
export function limitedPerAddress(share?: string) {
    return publicProcedure.use(async ({ ctx, next }) => {
        if (await ctx.withinAuthLimit(share)) return next();
        throw new ServiceError('RATE_LIMITED', 'Too many requests, try again in a minute');
    });
}

/** A procedure anybody may call, so often per address: logins and pairing. */
export const limitedProcedure = limitedPerAddress();

/** A procedure of an account: needs a valid bearer token, and hands the service its `actor`. */
export const accountProcedure = publicProcedure.use(async ({ ctx, next }) => {
    const actor = await ctx.authenticate();
    if (!actor) throw new ServiceError('UNAUTHORIZED', 'Unauthorized');
    return next({ ctx: { ...ctx, actor } });
});

/** REST metadata of the procedures of one OpenAPI tag: `const rest = restOf('Sessions')`. */
export function restOf(tag: string) {
    return (method: OpenApiMethod, path: `/${string}`, summary: string, options: RestOptions = {}): Meta => {
        const { aliases, failureStatus, etagWithout, ...openapi } = options;
        return { openapi: { method, path, summary, tags: [tag], ...openapi }, aliases, failureStatus, etagWithout };
    };
}
