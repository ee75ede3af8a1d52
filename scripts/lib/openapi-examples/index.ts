import type { RestRoute } from '@/http/rest';
import type { Operation } from '../openapi-document';
import { accessKeyExamples } from './access-keys';
import { accountExamples } from './account';
import { devExamples, versionExamples } from './apps';
import { artifactExamples } from './artifacts';
import { authExamples } from './auth';
import { connectExamples } from './connect';
import type { Example } from './example';
import { kvExamples } from './kv';
import { machineExamples } from './machines';
import { messageExamples } from './messages';
import { pushExamples } from './push';
import { realtimeExamples } from './realtime';
import { sessionExamples } from './sessions';
import { feedExamples, friendExamples, userExamples } from './social';
import { uploadExamples } from './uploads';
import { usageExamples } from './usage';
import { voiceExamples } from './voice';

/** Examples by domain and procedure. They stay out of the Worker, and a test holds each against its procedure. */
export const examples: Record<string, Record<string, Example>> = {
    auth: authExamples,
    sessions: sessionExamples,
    messages: messageExamples,
    realtime: realtimeExamples,
    machines: machineExamples,
    artifacts: artifactExamples,
    accessKeys: accessKeyExamples,
    kv: kvExamples,
    push: pushExamples,
    account: accountExamples,
    users: userExamples,
    friends: friendExamples,
    feed: feedExamples,
    usage: usageExamples,
    uploads: uploadExamples,
    connect: connectExamples,
    voice: voiceExamples,
    version: versionExamples,
    dev: devExamples,
};

/** The example of a procedure, if there is one. */
export function exampleOf(procedurePath: string): Example | undefined {
    const [domain = '', name = ''] = procedurePath.split('.');
    return examples[domain]?.[name];
}

/** Puts the example of a route where the document shows it: parameters, body and answer. */
export function describeExample(operation: Operation, { procedurePath }: RestRoute): void {
    const example = exampleOf(procedurePath);
    if (!example) return;
    const body = { ...(example.request as Record<string, unknown>) };
    for (const parameter of operation.parameters ?? []) {
        if (parameter.name in body) parameter.example = body[parameter.name];
        if (parameter.in === 'path') delete body[parameter.name];
    }
    const content = operation.requestBody?.content['application/json'];
    if (content) content.example = body;
    const ok = operation.responses[200] as { content: Record<string, { example?: unknown }> } | undefined;
    const answer = ok?.content['application/json'];
    if (answer) answer.example = example.response;
}
