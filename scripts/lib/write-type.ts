import ts from 'typescript';

/** Types that every consumer has: written by name. */
const KNOWN = new Set(['Record', 'Date', 'Uint8Array']);
/** Deeper than any schema here: a type that goes on must be recursive, and would never end. */
const MAX_DEPTH = 20;

/**
 * Writes a type out in full, without a name of ours left in it, so that it can stand in a file of its own.
 *
 * @throws Error for `any`, and for whatever no schema makes (functions, type parameters)
 */
export function writeType(checker: ts.TypeChecker, type: ts.Type, where: string, depth = 0): string {
    const write = (part: ts.Type, name = '') => writeType(checker, part, name ? `${where}.${name}` : where, depth + 1);
    if (depth > MAX_DEPTH) throw new Error(`${where}: recursive, cannot be written out`);
    if (type.flags & ts.TypeFlags.Any) throw new Error(`${where}: is \`any\``);
    if (type.flags & ts.TypeFlags.Boolean) return 'boolean';
    if (type.isUnion())
        return orderUnion(type.types)
            .map((part) => write(part))
            .join(' | ')
            .replace('false | true', 'boolean');
    if (type.isIntersection()) return type.types.map((part) => write(part)).join(' & ');
    if (!(type.flags & ts.TypeFlags.Object)) return literal(checker, type, where);

    const [element] = checker.getTypeArguments(type as ts.TypeReference);
    if (checker.isTupleType(type)) {
        return `[${checker
            .getTypeArguments(type as ts.TypeReference)
            .map((part) => write(part))
            .join(', ')}]`;
    }
    if (checker.isArrayType(type) && element) return `(${write(element, '[]')})[]`;
    const name = type.aliasSymbol?.name ?? type.symbol?.name ?? '';
    if (KNOWN.has(name)) {
        const parameters = (type.aliasTypeArguments ?? []).map((part) => write(part));
        return parameters.length > 0 ? `${name}<${parameters.join(', ')}>` : name;
    }
    if (type.getCallSignatures().length > 0) throw new Error(`${where}: is a function`);

    const fields = checker.getPropertiesOfType(type).map((property) => {
        const optional = property.flags & ts.SymbolFlags.Optional ? '?' : '';
        return `${documentation(checker, property)}${key(property.name)}${optional}: ${write(checker.getTypeOfSymbol(property), property.name)};`;
    });
    const indexes = checker
        .getIndexInfosOfType(type)
        .filter(({ keyType }) => keyType.flags & ts.TypeFlags.String)
        .map(({ type: value }) => `[key: string]: ${write(value, '[]')};`);
    return `{ ${[...fields, ...indexes].join(' ')} }`;
}

/** A property's doc comment, if it has one. */
export function documentation(checker: ts.TypeChecker, symbol: ts.Symbol): string {
    const text = ts.displayPartsToString(symbol.getDocumentationComment(checker)).replaceAll('*/', '* /').trim();
    return text && `/** ${text.replaceAll('\n', ' ')} */ `;
}

/** `undefined` and `null` last, whatever order the compiler met them in. */
function orderUnion(types: ts.Type[]): ts.Type[] {
    const rank = ({ flags }: ts.Type) => (flags & ts.TypeFlags.Undefined ? 2 : flags & ts.TypeFlags.Null ? 1 : 0);
    return types.toSorted((a, b) => rank(a) - rank(b));
}

function literal(checker: ts.TypeChecker, type: ts.Type, where: string): string {
    if (type.isStringLiteral() || type.isNumberLiteral()) return JSON.stringify(type.value);
    if (type.flags & (ts.TypeFlags.TypeParameter | ts.TypeFlags.IndexedAccess | ts.TypeFlags.Conditional)) {
        throw new Error(`${where}: depends on a type parameter`);
    }
    return checker.typeToString(type);
}

function key(name: string): string {
    return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}
