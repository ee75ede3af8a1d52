import { stockCursor, stockGithub, stockImage } from '@/http/stock-shapes';
import type { Ephemeral, UpdateBody } from '@/realtime/bodies';
import type { Update } from '@/realtime/updates';
import { isEncrypted } from '@/routers/messages/content';

type Body<Kind extends UpdateBody['t']> = Extract<UpdateBody, { t: Kind }>;

/**
 * Stock clients check each event against strict schemas and drop it whole where it does not fit; sockets that speak
 * Socket.IO are theirs (contract 1, 7). Every difference on sockets is a row here, by the kind of event.
 */
const UPDATES: { [Kind in UpdateBody['t']]?: (body: Body<Kind>) => object | null } = {
    // A whole page of messages is rejected for one that is something else.
    'new-message': (body) => (isEncrypted(body.message.content) ? body : null),
    'update-machine': stockMachine,
    'update-account': stockAccount,
    'new-feed-post': (body) => ({ ...body, cursor: stockCursor(body.cursor) }),
};

/** An update as stock clients take it; null when they would choke on it. */
export function stockUpdate(update: Update): object | null {
    const translate = UPDATES[update.body.t] as ((body: UpdateBody) => object | null) | undefined;
    const body = translate ? translate(update.body) : update.body;
    if (body === update.body) return update;
    return body && { ...update, body };
}

/** An ephemeral as stock clients take it: in usage they need every part, named even if it is nothing. */
export function stockEphemeral(ephemeral: Ephemeral): object {
    if (ephemeral.type !== 'usage') return ephemeral;
    const { tokens, cost } = ephemeral;
    return {
        ...ephemeral,
        tokens: { input: 0, output: 0, cache_creation: 0, cache_read: 0, ...tokens },
        cost: { input: 0, output: 0, ...cost },
    };
}

/** They know no cleared daemon state. */
function stockMachine(body: Body<'update-machine'>): object {
    const { daemonState, ...rest } = body;
    return daemonState?.value === null ? rest : body;
}

function stockAccount(body: Body<'update-account'>): object {
    const { avatar, github } = body;
    return {
        ...body,
        ...(avatar !== undefined && { avatar: stockImage(avatar) }),
        ...(github !== undefined && { github: stockGithub(github) }),
    };
}
