import { isMember, propertyName, withoutTypes } from '../ast.mjs';

const AMBIENT = [
    { object: 'Date', name: 'now', instead: 'ctx.now()' },
    { object: 'performance', name: 'now', instead: 'ctx.now()' },
    { object: 'crypto', name: 'randomUUID', instead: 'ctx.newId() or ctx.newUuid()' },
    { object: 'crypto', name: 'getRandomValues', instead: 'ctx.newId() or ctx.newUuid()' },
    { object: 'Math', name: 'random', instead: 'ctx.newId()' },
];

/**
 * `happy/no-ambient-time-or-ids`: a service takes the time and new ids from its context, so that tests choose both.
 *
 * @type {import('../ast.mjs').Rule}
 */
export const noAmbientTimeOrIds = {
    meta: { type: 'problem', docs: { description: 'time and ids come from the context' } },
    create(context) {
        /**
         * @param {import('../ast.mjs').Node} node
         * @param {string} what
         * @param {string} instead
         */
        const report = (node, what, instead) => {
            context.report({ node, message: `A service takes no ${what} of its own: ${instead}.` });
        };
        return {
            MemberExpression(node) {
                const found = AMBIENT.find(({ object, name }) => isMember(node, object, name));
                if (found) report(node, `${found.object}.${found.name}`, found.instead);
            },
            NewExpression(node) {
                const callee = withoutTypes(node.callee);
                const isNow = callee.type === 'Identifier' && callee.name === 'Date' && node.arguments.length === 0;
                if (isNow) report(node, 'new Date()', 'new Date(ctx.now())');
            },
            VariableDeclarator(node) {
                // const { now } = Date;
                if (node.id.type !== 'ObjectPattern' || !node.init) return;
                const owner = withoutTypes(node.init);
                const names = node.id.properties.flatMap((property) =>
                    property.type === 'Property' ? (propertyName(property) ?? []) : [],
                );
                const found = AMBIENT.find(({ object, name }) => owner.name === object && names.includes(name));
                if (found) report(node, `${found.object}.${found.name}`, found.instead);
            },
            ImportSpecifier(node) {
                if (node.imported.name === 'randomUUID') report(node, 'randomUUID', 'ctx.newId() or ctx.newUuid()');
            },
        };
    },
};
