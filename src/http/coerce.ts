import type * as z from 'zod';
import { ServiceError } from '@/errors';

type AnySchema = z.core.$ZodType;

/** What a query or path parameter is declared as, as far as its text has to be converted. */
type Kind = 'number' | 'boolean' | 'text';

/** The parameters that an input schema knows, with their kinds; worked out once per route. */
export type ParameterKinds = ReadonlyMap<string, Kind>;

/** Reads off an input schema, without touching it, what its fields are as parameters. */
export function parameterKinds(schema: AnySchema | undefined): ParameterKinds {
    const shape = (unwrap(schema)?._zod.def as { shape?: Record<string, AnySchema> } | undefined)?.shape ?? {};
    return new Map(Object.entries(shape).map(([key, field]) => [key, kindOf(field)]));
}

/**
 * Turns query strings into what the schema declares: `limit=50` is a number and `flag=false` is false. Text that is no
 * number or boolean stays text, and the schema refuses it. Unknown keys are dropped.
 * @throws VALIDATION_FAILED for a key given twice
 */
export function coerceParameters(kinds: ParameterKinds, parameters: Iterable<[string, string]>) {
    const input: Record<string, unknown> = {};
    for (const [key, value] of parameters) {
        const kind = kinds.get(key);
        if (kind === undefined) continue;
        if (Object.hasOwn(input, key)) {
            throw new ServiceError('VALIDATION_FAILED', 'Invalid input', [
                { path: key, message: 'Given more than once' },
            ]);
        }
        input[key] = coerce(kind, value);
    }
    return input;
}

function coerce(kind: Kind, value: string): unknown {
    if (kind === 'number' && /^-?\d+(\.\d+)?$/.test(value)) return Number(value);
    if (kind === 'boolean' && (value === 'true' || value === 'false')) return value === 'true';
    return value;
}

function kindOf(schema: AnySchema): Kind {
    const type = unwrap(schema)?._zod.def.type;
    return type === 'number' || type === 'boolean' ? type : 'text';
}

/** The schema within optional, nullable, default and the like; before a transform, and after a preprocess. */
function unwrap(schema: AnySchema | undefined): AnySchema | undefined {
    const def = schema?._zod.def as { innerType?: AnySchema; in?: AnySchema; out?: AnySchema } | undefined;
    const piped = def?.in?._zod.def.type === 'transform' ? def.out : def?.in;
    const inner = def?.innerType ?? piped;
    return inner ? unwrap(inner) : schema;
}
