import type { inferRouterInputs, inferRouterOutputs } from '@trpc/server';
import type { AppRouter } from '@/routers';

type Inputs = inferRouterInputs<AppRouter>;
type Outputs = inferRouterOutputs<AppRouter>;

/** One call as the document shows it: what is sent, path and query included, and what comes back. */
export interface Example<Input = unknown, Output = unknown> {
    request: Input;
    response: Output;
}

/** An example for every procedure of a domain. */
export type Examples<Domain extends keyof Inputs> = {
    [Name in keyof Inputs[Domain]]: Name extends keyof Outputs[Domain]
        ? Example<Inputs[Domain][Name], Outputs[Domain][Name]>
        : never;
};

/** When the examples were made: Unix ms. */
export const THEN = 1_775_000_000_000;

/** A ciphertext as the examples show it. */
export const SEALED = 'AGRhdGEgdGhhdCBvbmx5IHRoZSBjbGllbnQgY2FuIHJlYWQ=';

/** A wrapped data encryption key as the examples show it. */
export const WRAPPED_KEY = 'AHRoZSBrZXksIHdyYXBwZWQgZm9yIGl0cyBvd25lcg==';
