/** Modules that reach the database: src/db, by whatever spelling, and Drizzle. */
const DATABASE = /^(@\/db|drizzle-orm)(\/|$)|^\.{1,2}\/(.*\/)?db(\/|$)/;

/**
 * `happy/router-without-database`: a router is a table of contents; what touches the database is a service.
 *
 * @type {import('../ast.mjs').Rule}
 */
export const routerWithoutDatabase = {
    meta: { type: 'problem', docs: { description: 'no import of the database in a router' } },
    create(context) {
        /** @param {import('../ast.mjs').Node} node an import, or an export from elsewhere */
        const check = (node) => {
            if (typeof node.source?.value !== 'string' || !DATABASE.test(node.source.value)) return;
            const message = 'A router names meta, schemas and one service call; the database is the service’s.';
            context.report({ node, message });
        };
        return {
            ImportDeclaration: check,
            ImportExpression: check,
            ExportNamedDeclaration: check,
            ExportAllDeclaration: check,
        };
    },
};
