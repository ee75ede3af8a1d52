import { stockCursor, stockGithub, stockImage } from '@/http/stock-shapes';
import type { Ephemeral, Update, UpdateBody } from '@/realtime/updates';

/**
 * Stock clients check each event against strict schemas and drop it whole where it does not fit; sockets that speak
 * Socket.IO are theirs (contract 1, 7). Every difference on sockets is a row here, by the kind of event.
 */
const UPDATES: Record<string, (body: UpdateBody) => UpdateBody | null> = {
    'new-message': (body) => (isEncrypted(body.message) ? body : null),
    'update-machine': stockMachine,
    'update-account': stockAccount,
    'new-feed-post': (body) => ({ ...body, cursor: stockCursor(String(body.cursor)) }),
};

/** An update as stock clients take it; null when they would choke on it. */
export function stockUpdate(update: Update): Update | null {
    const translate = UPDATES[update.body.t];
    const body = translate ? translate(update.body) : update.body;
    if (body === update.body) return update;
    return body && { ...update, body };
}

/** An ephemeral as stock clients take it: in usage they need every part, named even if it is nothing. */
export function stockEphemeral(ephemeral: Ephemeral): Ephemeral {
    if (ephemeral.type !== 'usage') return ephemeral;
    const { tokens, cost } = ephemeral as Ephemeral & { tokens?: object; cost?: object };
    return {
        ...ephemeral,
        tokens: { input: 0, output: 0, cache_creation: 0, cache_read: 0, ...tokens },
        cost: { input: 0, output: 0, ...cost },
    };
}

/** A whole page of messages is rejected for one that is not `{t:'encrypted', c}`. */
function isEncrypted(message: unknown): boolean {
    const { content } = message as { content?: { t?: unknown; c?: unknown } | null };
    return content?.t === 'encrypted' && typeof content.c === 'string';
}

/** They know no cleared daemon state. */
function stockMachine(body: UpdateBody): UpdateBody {
    const { daemonState, ...rest } = body;
    return (daemonState as { value?: unknown } | undefined)?.value === null ? rest : body;
}

function stockAccount(body: UpdateBody): UpdateBody {
    const { avatar, github } = body as UpdateBody & { avatar?: object | null; github?: object | null };
    return {
        ...body,
        ...(avatar !== undefined && { avatar: stockImage(avatar) }),
        ...(github !== undefined && { github: stockGithub(github) }),
    };
}
