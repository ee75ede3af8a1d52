import { accessKeysRouter } from '@/routers/access-keys/router';
import { artifactsRouter } from '@/routers/artifacts/router';
import { authRouter } from '@/routers/auth/router';
import { kvRouter } from '@/routers/kv/router';
import { machinesRouter } from '@/routers/machines/router';
import { messagesRouter } from '@/routers/messages/router';
import { pushRouter } from '@/routers/push/router';
import { sessionsRouter } from '@/routers/sessions/router';
import { router } from '@/trpc';

/** Every procedure of the server, by domain; the doors in `http/` and `realtime/` serve these and nothing else. */
export const appRouter = router({
    auth: authRouter,
    sessions: sessionsRouter,
    messages: messagesRouter,
    machines: machinesRouter,
    artifacts: artifactsRouter,
    accessKeys: accessKeysRouter,
    kv: kvRouter,
    push: pushRouter,
});

/** The type that tRPC clients import. */
export type AppRouter = typeof appRouter;
