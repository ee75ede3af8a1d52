import type { SocketEvent } from '@/realtime/events/socket-event';
import { okFalse, socketEvent } from '@/realtime/events/socket-event';
import { AccessKeyInput } from '@/routers/access-keys/schema';
import { getAccessKey } from '@/routers/access-keys/service';

/** Socket event of access keys. */
export const accessKeyEvents: Record<string, SocketEvent> = {
    'access-key-get': socketEvent(
        AccessKeyInput,
        async (ctx, input) => ({ ok: true, accessKey: (await getAccessKey(ctx, input)).accessKey }),
        okFalse,
    ),
};
