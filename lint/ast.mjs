/**
 * What the rules share: reading names off the syntax tree.
 *
 * @typedef {{ meta: { type: 'problem' | 'suggestion', docs: { description: string } }, create: (context: Context) => Visitor }} Rule
 * @typedef {Record<string, (node: Node) => void>} Visitor
 * @typedef {{ report: (problem: { node: Node, message: string }) => void }} Context
 * @typedef {import('./node.d.ts').Node} Node
 */

/**
 * The name of a property as it is written, `a.b`, `a['b']` or `{ b }`; undefined for a computed one.
 *
 * @param {Node} node a MemberExpression or a Property
 * @returns {string | undefined}
 */
export function propertyName(node) {
    const key = node.type === 'Property' ? node.key : node.property;
    if (!node.computed && key.type === 'Identifier') return key.name;
    return key.type === 'Literal' && typeof key.value === 'string' ? key.value : undefined;
}

/**
 * The node without what only the type checker sees: `(a as B)!` is `a`.
 *
 * @param {Node} node
 * @returns {Node}
 */
export function withoutTypes(node) {
    const isWrapped =
        /^(TSAsExpression|TSNonNullExpression|TSSatisfiesExpression|ChainExpression|ParenthesizedExpression)$/;
    return isWrapped.test(node.type) ? withoutTypes(node.expression) : node;
}

/**
 * Whether the node is `object.name` of a plain object, such as `Date.now`.
 *
 * @param {Node} node
 * @param {string} object
 * @param {string} name
 * @returns {boolean}
 */
export function isMember(node, object, name) {
    if (node.type !== 'MemberExpression' || propertyName(node) !== name) return false;
    const owner = withoutTypes(node.object);
    if (owner.type === 'Identifier') return owner.name === object;
    // globalThis.crypto.randomUUID
    return owner.type === 'MemberExpression' && isMember(owner, 'globalThis', object);
}
