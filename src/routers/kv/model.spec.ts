import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAccount } from '@test/helpers/account';
import type { Answer, TestAccount } from '@test/helpers/account';
import { startServer } from '@test/helpers/server';
import { seqOf } from '@test/helpers/updates';

const server = startServer();

interface Mutation {
    key: string;
    value: string | null;
    version: number;
}

interface Entry {
    value: string | null;
    version: number;
}

/** The store as contract 4.4 tells it, in memory. */
class Model {
    readonly entries = new Map<string, Entry>();

    at(key: string): Entry {
        return this.entries.get(key) ?? { value: null, version: -1 };
    }

    mutate(mutations: Mutation[]): { status: number; body: object } {
        const errors = mutations
            .filter(({ key, version }) => this.at(key).version !== version)
            .map(({ key }) => ({ key, error: 'version-mismatch', ...this.at(key) }));
        if (errors.length > 0) return { status: 409, body: { success: false, errors } };
        for (const { key, value, version } of mutations) this.entries.set(key, { value, version: version + 1 });
        return {
            status: 200,
            body: { success: true, results: mutations.map(({ key, version }) => ({ key, version: version + 1 })) },
        };
    }

    /** What lists show, in the order of the keys' bytes. */
    items() {
        return [...this.entries]
            .filter(([, { value }]) => value !== null)
            .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
            .map(([key, { value, version }]) => ({ key, value, version }));
    }
}

const mutate = (account: TestAccount, mutations: Mutation[]) => account.call('POST', '/v1/kv', { mutations });
const itemsOf = async (account: TestAccount) => (await account.call('GET', '/v1/kv?limit=1000')).body.items;

describe('POST /v1/kv', () => {
    it('does what the model does, batch after batch', async () => {
        // Few keys, so that batches meet; `off` is how far from the real version a batch expects to find its key.
        const change = fc.record({
            key: fc.constantFrom('a', 'a_b', 'a%', 'b/c', 'ü', '😀'),
            value: fc.option(fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString('base64'))),
            off: fc.constantFrom(0, 0, 0, 0, 0, 0, -1, 1),
        });
        const batch = fc.uniqueArray(change, { selector: ({ key }) => key, minLength: 1, maxLength: 5 });
        await fc.assert(
            fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 12 }), async (batches) => {
                const account = await createAccount(server);
                const model = new Model();
                let written = 0;
                for (const changes of batches) {
                    const mutations = changes.map(({ off, ...rest }) => ({
                        ...rest,
                        version: Math.max(-1, model.at(rest.key).version + off),
                    }));
                    const expected = model.mutate(mutations);
                    const { status, body } = await mutate(account, mutations);
                    expect({ status, body }).toEqual(expected);
                    if (status === 200) written += 1;
                    expect(await itemsOf(account)).toEqual(model.items());
                }
                expect(await seqOf(server, account)).toBe(written);
            }),
            { numRuns: 25 },
        );
    });

    it('is all or nothing under 50 overlapping batches at once', async () => {
        const account = await createAccount(server);
        const model = new Model();
        const keys = Array.from({ length: 12 }, (_, i) => `key ${i}`);
        for (let round = 0; round < 4; round++) {
            // All 50 expect the state before the round, so a batch wins unless an earlier winner took one of its keys.
            const batches = Array.from({ length: 50 }, (_, i) =>
                [0, 1, 2].map((step): Mutation => {
                    const key = keys[(i * 5 + step * (1 + (i % 3))) % keys.length]!;
                    const value = (i + step) % 7 === 0 ? null : btoa(`round ${round}, batch ${i}`);
                    return { key, value, version: model.at(key).version };
                }),
            );
            const answers = await Promise.all(batches.map((batch) => mutate(account, batch)));

            const winners = batches.filter((_, i) => answers[i]!.status === 200);
            const taken = winners.flat();
            expect(new Set(taken.map(({ key }) => key)).size).toBe(taken.length);
            expect(winners.length).toBeGreaterThan(0);
            for (const winner of winners) model.mutate(winner);
            for (const [i, batch] of batches.entries()) {
                if (answers[i]!.status !== 200) expectLost(answers[i]!, batch, taken);
            }
            expect(await itemsOf(account)).toEqual(model.items());
        }
        const versions = [...model.entries.values()].reduce((sum, { version }) => sum + version + 1, 0);
        expect(await seqOf(server, account)).toBe(versions / 3);
    });
});

/** A batch that lost names keys that a winner of its round took, as that winner left them, and at least one. */
function expectLost({ status, body }: Answer, batch: Mutation[], taken: Mutation[]): void {
    expect(status).toBe(409);
    const { errors } = body as { errors: { key: string }[] };
    expect(errors.length).toBeGreaterThan(0);
    for (const error of errors) {
        const winner = taken.find(({ key }) => key === error.key);
        expect(batch.some(({ key }) => key === error.key)).toBe(true);
        expect(error).toEqual({
            key: error.key,
            error: 'version-mismatch',
            value: winner?.value,
            version: (winner?.version ?? NaN) + 1,
        });
    }
}
