/**
 * `happy/github-casing`: a name in PascalCase spells GitHub as GitHub does. Names of tables are text, and stay.
 *
 * @type {import('../ast.mjs').Rule}
 */
export const githubCasing = {
    meta: { type: 'suggestion', docs: { description: 'GitHub, not Github, in PascalCase names' } },
    create(context) {
        /** @type {Set<number>} `import { A }` holds the name twice, at one place */
        const seen = new Set();
        return {
            Identifier(node) {
                if (!/^[A-Z]/.test(node.name) || !node.name.includes('Github') || seen.has(node.start)) return;
                seen.add(node.start);
                const better = node.name.replaceAll('Github', 'GitHub');
                context.report({ node, message: `Spell it ${better}, not ${node.name}.` });
            },
        };
    },
};
