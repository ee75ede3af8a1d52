import type * as z from 'zod';
import { ServiceError } from '@/errors';

type AnySchema = z.core.$ZodType;

/** What a query or path parameter is declared as, as far as its text has to be converted. */
type Kind = 'number' | 'boolean' | 'text';

/**
 * Turns query strings into what the schema declares, without touching the schema: `limit=50` is a number and
 * `flag=false` is false. Text that is no number or boolean stays text, and the schema refuses it.
 * @throws VALIDATION_FAILED for a key given twice
 */
export function coerceParameters(shape: Record<string, AnySchema>, parameters: Iterable<[string, string]>) {
    const input: Record<string, unknown> = {};
    for (const [key, value] of parameters) {
        if (!Object.hasOwn(shape, key)) continue;
        if (Object.hasOwn(input, key)) {
            throw new ServiceError('VALIDATION_FAILED', 'Invalid input', [{ path: key, message: 'Given more than once' }]);
        }
        input[key] = coerce(kindOf(shape[key]), value);
    }
    return input;
}

function coerce(kind: Kind, value: string): unknown {
    if (kind === 'number' && /^-?\d+(\.\d+)?$/.test(value)) return Number(value);
    if (kind === 'boolean' && (value === 'true' || value === 'false')) return value === 'true';
    return value;
}

function kindOf(schema: AnySchema | undefined): Kind {
    const def = schema?._zod.def as { type?: string; innerType?: AnySchema; in?: AnySchema } | undefined;
    if (def?.innerType) return kindOf(def.innerType);
    if (def?.in) return kindOf(def.in);
    return def?.type === 'number' || def?.type === 'boolean' ? def.type : 'text';
}
