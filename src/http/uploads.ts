import { TRPCError } from '@trpc/server';
import type { Context, Hono } from 'hono';
import type * as z from 'zod';
import type { AccountContext } from '@/context';
import { ServiceError } from '@/errors';
import { acting, contentOf } from '@/http/binary';
import type { HonoEnv } from '@/http/hono-env';
import { readForm } from '@/http/multipart';
import type { FormPart } from '@/http/multipart';
import { discardFile, receiveFile } from '@/routers/uploads/receive';
import type { ReceivedFile } from '@/routers/uploads/receive';
import { categoryRules } from '@/routers/uploads/rules';
import type { CategoryRule } from '@/routers/uploads/rules';
import { UploadOptions } from '@/routers/uploads/schema';
import { keepAvatar, keepFile } from '@/routers/uploads/upload';

/** Uploads: a form as browsers send it, or the bytes alone, which is the way for large files (contract 4.7, 13). */
export function mountUploads(app: Hono<HonoEnv>): void {
    app.post('/v1/uploads', (c) =>
        acting(c, async (ctx) => {
            const { received, fields } = await receiveForm(ctx, c.req.raw, ({ category }) => categoryRules[category]);
            return keepFile(ctx, received, parseOptions(fields));
        }),
    );
    app.post('/v1/uploads/avatar', (c) =>
        acting(c, async (ctx) => {
            const { received } = await receiveForm(ctx, c.req.raw, () => categoryRules.avatars);
            return keepAvatar(ctx, received);
        }),
    );
    app.put('/v1/uploads/raw', (c) =>
        acting(c, async (ctx) => {
            refuseForm(c);
            const { category, reuseKey, filename } = c.req.query();
            const options = parseOptions({ category, reuseKey });
            const hints = { declared: c.req.header('Content-Type') ?? null, name: filename ?? null };
            const received = await receiveFile(ctx, contentOf(c.req.raw), hints, categoryRules[options.category]);
            return keepFile(ctx, received, options);
        }),
    );
}

type Fields = Partial<Record<'category' | 'reuseKey', string>>;

/** Most bytes of a form's field: the longest reuse key, and then some. */
const MAX_FIELD_BYTES = 1024;

/**
 * Takes a form's file in. Fields may come before or after it, so what depends on them is looked at again afterwards.
 * @throws VALIDATION_FAILED for a form without a file, or with two
 */
async function receiveForm(ctx: AccountContext, request: Request, ruleOf: (options: UploadOptions) => CategoryRule) {
    const fields: Fields = {};
    let received: ReceivedFile | undefined;
    try {
        for await (const part of readForm(request)) {
            if (part.name === 'category' || part.name === 'reuseKey') {
                fields[part.name] = await readField(part);
                parseOptions(fields);
            } else if (part.name === 'file' && part.filename !== '') {
                if (received) throw invalid('file', 'Given more than once');
                const hints = { declared: part.contentType, name: part.filename };
                // Without its category yet, a file may be whatever the largest category takes.
                received = await receiveFile(
                    ctx,
                    { size: null, chunks: part.chunks },
                    hints,
                    ruleOf(parseOptions(fields)),
                );
            }
        }
    } catch (error) {
        if (received) discardFile(ctx, received.id);
        throw error;
    }
    if (!received) throw invalid('file', 'Required');
    return { received, fields };
}

async function readField({ name, chunks }: FormPart): Promise<string> {
    let bytes = Buffer.alloc(0);
    for await (const chunk of chunks) {
        bytes = Buffer.concat([bytes, chunk]);
        if (bytes.length > MAX_FIELD_BYTES) throw invalid(name, 'Too long');
    }
    return bytes.toString('utf8');
}

/** Forms send what was left empty as an empty text. */
function parseOptions({ category, reuseKey }: Fields): UploadOptions {
    return parse(UploadOptions, { category: category || undefined, reuseKey: reuseKey || undefined });
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
    const { success, data, error } = schema.safeParse(value);
    if (!success) throw new TRPCError({ code: 'BAD_REQUEST', cause: error });
    return data;
}

function refuseForm(c: Context<HonoEnv>): void {
    if (/^\s*multipart\//i.test(c.req.header('Content-Type') ?? '')) {
        throw new ServiceError('UNSUPPORTED_MEDIA_TYPE', 'Body must be the bytes of the file');
    }
}

function invalid(path: string, message: string): ServiceError {
    return new ServiceError('VALIDATION_FAILED', 'Invalid input', [{ path, message }]);
}
