import { propertyName, withoutTypes } from '../ast.mjs';

/**
 * `happy/no-transaction`: D1 has no interactive transactions, and Drizzle's `transaction` throws there.
 *
 * @type {import('../ast.mjs').Rule}
 */
export const noTransaction = {
    meta: { type: 'problem', docs: { description: 'no interactive transactions, which D1 does not have' } },
    create(context) {
        return {
            CallExpression(node) {
                const callee = withoutTypes(node.callee);
                if (callee.type !== 'MemberExpression' || propertyName(callee) !== 'transaction') return;
                const message =
                    'D1 has no interactive transactions: write one batch (src/db/batch.ts), with conditions in the SQL.';
                context.report({ node, message });
            },
        };
    },
};
