import { DurableObject } from 'cloudflare:workers';
import type { Env } from '@/env';
import { createUpdateLog } from '@/realtime/recovery';
import type { AddressedUpdate, Publication } from '@/realtime/updates';

/**
 * The hub of one account: keeps the account's recent updates in order. At rest it holds no timer and no promise:
 * asleep is its normal state. Sockets and fan-out are not built yet.
 */
export class AccountHub extends DurableObject<Env> {
    private readonly log = createUpdateLog(this.ctx.storage);

    /** Takes what a write has to tell. Updates it already has are dropped. */
    publish(publication: Publication): void {
        this.log.append(publication);
    }

    /** Updates after `seq` in order, as far as they are kept; for resume. */
    updatesSince(seq: number): AddressedUpdate[] {
        return this.log.since(seq);
    }

    /** Whether a user-scoped socket said last that its app is in front of somebody: then nobody needs a notification. */
    isAppActive(): boolean {
        return this.ctx.getWebSockets().some((socket) => {
            const said = socket.deserializeAttachment() as { clientType?: string; appState?: string } | null;
            return said?.clientType === 'user-scoped' && said.appState === 'active';
        });
    }

    /** Answers when the object can be reached: for `/ready`. */
    ping(): 'pong' {
        return 'pong';
    }
}
