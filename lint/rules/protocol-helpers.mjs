import { propertyName, withoutTypes } from '../ast.mjs';

/** Which helper reads an id, by each name that the wire has for it. */
const HELPERS = { sid: 'getSessionId', sessionId: 'getSessionId', machineId: 'getMachineId' };

/** What a payload is called in the code. */
const PAYLOAD = /^(data|payload|body|update|ephemeral)$/;

/**
 * `happy/protocol-helpers`: the wire calls the id of a session `sid`, `sessionId` or `id`, and that of a machine
 * `machineId` or `id`. Whoever reads one of them off a payload asks `getSessionId()` or `getMachineId()`, which know
 * all of them (src/realtime/protocol/ids.ts).
 *
 * @type {import('../ast.mjs').Rule}
 */
export const protocolHelpers = {
    meta: { type: 'suggestion', docs: { description: 'getSessionId() and getMachineId() read ids off payloads' } },
    create(context) {
        /**
         * @param {import('../ast.mjs').Node} node
         * @param {string | undefined} name
         */
        const report = (node, name) => {
            const helper = helperOf(name);
            if (helper)
                context.report({ node, message: `Read the id off the payload by ${helper}(), not as .${name}.` });
        };
        /** @param {import('../ast.mjs').Node} pattern */
        const checkPattern = (pattern) => {
            if (pattern.type !== 'ObjectPattern') return;
            for (const property of pattern.properties.filter(({ type }) => type === 'Property')) {
                report(property, propertyName(property));
            }
        };
        return {
            MemberExpression(node) {
                const name = propertyName(node);
                // No object of this code has a `sid`: whoever reads one reads a payload.
                if (name === 'sid' || isPayload(node.object)) report(node, name);
            },
            LogicalExpression(node) {
                if (node.operator !== '??' && node.operator !== '||') return;
                const names = [node.left, node.right].map((side) => memberName(withoutTypes(side)));
                const helper = names.map(helperOf).find((name) => name !== undefined);
                const isChoice =
                    helper !== undefined && names.every((name) => name === 'id' || helperOf(name) === helper);
                if (isChoice) context.report({ node, message: `Choose between the names of an id by ${helper}().` });
            },
            VariableDeclarator(node) {
                if (node.init && isPayload(node.init)) checkPattern(node.id);
            },
            CallExpression(node) {
                // The handler of a socket event: socketEvent(schema, (ctx, payload) => …).
                if (node.callee.type !== 'Identifier' || node.callee.name !== 'socketEvent') return;
                const payload = node.arguments[1]?.params?.[1];
                if (payload) checkPattern(payload);
            },
        };
    },
};

/**
 * @param {string | undefined} name
 * @returns {string | undefined}
 */
function helperOf(name) {
    return name !== undefined && name in HELPERS ? HELPERS[/** @type {keyof typeof HELPERS} */ (name)] : undefined;
}

/**
 * @param {import('../ast.mjs').Node} node
 * @returns {string | undefined}
 */
function memberName(node) {
    return node.type === 'MemberExpression' ? propertyName(node) : undefined;
}

/**
 * Whether the node is a payload: one by name, or one that was just parsed, `parse(Schema, data)`.
 *
 * @param {import('../ast.mjs').Node} wrapped
 * @returns {boolean}
 */
function isPayload(wrapped) {
    const node = withoutTypes(wrapped);
    if (node.type === 'Identifier') return PAYLOAD.test(node.name);
    if (node.type === 'MemberExpression') return PAYLOAD.test(propertyName(node) ?? '');
    return node.type === 'CallExpression' && node.arguments.some(isPayload) && memberOrName(node.callee) === 'parse';
}

/** @param {import('../ast.mjs').Node} node */
function memberOrName(node) {
    return node.type === 'Identifier' ? node.name : memberName(node);
}
