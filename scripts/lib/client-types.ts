import path from 'node:path';
import ts from 'typescript';
import { appRouter } from '@/routers';
import { inProject } from './project.mjs';
import { writeType } from './write-type';

const entry = inProject('src', 'client', 'index.ts');
const routerFile = inProject('src', 'client', 'app-router.ts');
const folder = path.dirname(entry);

/** The client's declaration files by name: its own as the compiler writes them, `AppRouter` written out in full. */
export function clientDeclarations(): Map<string, string> {
    const config = ts.readConfigFile(inProject('tsconfig.json'), (file) => ts.sys.readFile(file));
    const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, inProject());
    const program = ts.createProgram([entry], {
        ...options,
        noEmit: false,
        declaration: true,
        emitDeclarationOnly: true,
    });
    const files = new Map<string, string>([['app-router.d.ts', writeAppRouter(program)]]);
    for (const source of program.getSourceFiles()) {
        if (path.dirname(source.fileName) !== folder || source.fileName === routerFile) continue;
        program.emit(source, (name, text) => files.set(path.basename(name), relativeImports(text)), undefined, true);
    }
    return files;
}

function relativeImports(text: string): string {
    const own = text.replaceAll(/(['"])@\/client\/([\w-]+)\1/g, "'./$2.js'");
    const foreign = /['"]@\/[^'"]*['"]/.exec(own);
    if (foreign) throw new Error(`The client's declarations import ${foreign[0]}: that is server code`);
    return own;
}

/** `AppRouter` as tRPC's own types and plain objects: kind, input and output of every procedure, and the errors. */
function writeAppRouter(program: ts.Program): string {
    const checker = program.getTypeChecker();
    const router = declaredType(program, checker, 'AppRouter');
    const at = (type: ts.Type, ...names: string[]) =>
        names.reduce((parent, name) => propertyOf(checker, parent, name), type);
    const summaries = appRouter._def.procedures as unknown as Record<
        string,
        { _def: { meta?: { openapi?: { summary?: string } } } }
    >;
    const error = writeType(checker, at(router, '_def', '_config', '$types', 'errorShape', 'data'), 'error data');
    const kinds = new Set<string>();

    const domains = checker.getPropertiesOfType(at(router, '_def', 'record')).map((domain) => {
        const procedures = checker.getPropertiesOfType(checker.getTypeOfSymbol(domain)).map((procedure) => {
            const name = `${domain.name}.${procedure.name}`;
            const definition = at(checker.getTypeOfSymbol(procedure), '_def');
            const kind = (at(definition, 'type') as ts.StringLiteralType).value;
            kinds.add(typeOf(kind));
            const input = writeInput(checker, at(definition, '$types', 'input'), `input of ${name}`);
            const output = writeOutput(checker, kind, at(definition, '$types', 'output'), `output of ${name}`);
            const summary = summaries[name]?._def.meta?.openapi?.summary;
            const doc = summary ? `        /** ${summary}. */\n` : '';
            return `${doc}        ${procedure.name}: ${typeOf(kind)}<Definition<${input}, ${output}>>;`;
        });
        return `    ${domain.name}: {\n${procedures.join('\n')}\n    };`;
    });
    return [
        '// Written by `npm run client` from the procedures of the server.',
        `import type { TRPCBuiltRouter, ${[...kinds].sort().join(', ')} } from '@trpc/server';`,
        "import type { TRPCErrorShape } from '@trpc/server/rpc';",
        '',
        `type ErrorShape = TRPCErrorShape<${error}>;`,
        'type Tracked<Data> = AsyncIterable<{ id: string; data: Data }, void, unknown>;',
        'interface Definition<Input, Output> { input: Input; output: Output; meta: unknown; errorShape: ErrorShape; }',
        'interface Root { ctx: object; meta: object; errorShape: ErrorShape; transformer: false; }',
        '',
        '/** Every procedure of the server. */',
        'export type AppRouter = TRPCBuiltRouter<Root, {',
        ...domains,
        '}>;',
        '',
    ].join('\n');
}

const typeOf = (kind: string) => `TRPC${kind[0]?.toUpperCase()}${kind.slice(1)}Procedure`;

/** An input that requires nothing may be left out: the server takes none for an empty one. */
function writeInput(checker: ts.TypeChecker, type: ts.Type, where: string): string {
    const given = checker.getNonNullableType(type);
    const isOptional = checker.getPropertiesOfType(given).every((property) => property.flags & ts.SymbolFlags.Optional);
    return writeType(checker, type, where) + (isOptional ? ' | void' : '');
}

/** A subscription yields tracked events; what they carry is the type that matters. */
function writeOutput(checker: ts.TypeChecker, kind: string, type: ts.Type, where: string): string {
    if (kind !== 'subscription') return writeType(checker, type, where);
    const [tracked] = checker.getTypeArguments(type as ts.TypeReference);
    if (!tracked) throw new Error(`${where}: yields nothing`);
    return `Tracked<${writeType(checker, propertyOf(checker, tracked, 'data'), where)}>`;
}

function declaredType(program: ts.Program, checker: ts.TypeChecker, name: string): ts.Type {
    const source = program.getSourceFile(routerFile);
    const module = source && checker.getSymbolAtLocation(source);
    const symbol = module && checker.getExportsOfModule(module).find((exported) => exported.name === name);
    if (!symbol) throw new Error(`${routerFile} exports no ${name}`);
    return checker.getDeclaredTypeOfSymbol(checker.getAliasedSymbol(symbol));
}

function propertyOf(checker: ts.TypeChecker, type: ts.Type, name: string): ts.Type {
    const property = checker.getPropertyOfType(type, name);
    if (!property) throw new Error(`No ${name} in ${checker.typeToString(type)}`);
    return checker.getTypeOfSymbol(property);
}
