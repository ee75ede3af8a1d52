import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { inProject } from './project.mjs';
import { knownVariables } from './worker-secrets.mjs';

/** Names of an interface's members that are text: the variables, and not the bindings. */
function textMembers(file: string, name: string): string[] {
    const source = ts.createSourceFile(file, readFileSync(inProject(file), 'utf8'), ts.ScriptTarget.Latest);
    const found = source.statements.filter(ts.isInterfaceDeclaration).find((node) => node.name.text === name);
    return (found?.members ?? []).flatMap((member) => {
        const isText = ts.isPropertySignature(member) && member.type?.kind === ts.SyntaxKind.StringKeyword;
        return isText ? [member.name.getText(source)] : [];
    });
}

it('.dev.vars.example describes what the server reads: all of it, each once, and nothing else', () => {
    const read = [...textMembers('src/env.ts', 'Env'), ...textMembers('src/integrations/config.ts', 'IntegrationsEnv')];
    expect(read).toContain('HAPPY_MASTER_SECRET');
    expect(read).toContain('GITHUB_CLIENT_ID');
    expect(knownVariables().toSorted()).toEqual(read.toSorted());
});
