import { authRouter } from '@/routers/auth/router';
import { messagesRouter } from '@/routers/messages/router';
import { sessionsRouter } from '@/routers/sessions/router';
import { router } from '@/trpc';

/** Every procedure of the server, by domain; the doors in `http/` and `realtime/` serve these and nothing else. */
export const appRouter = router({
    auth: authRouter,
    sessions: sessionsRouter,
    messages: messagesRouter,
});

/** The type that tRPC clients import. */
export type AppRouter = typeof appRouter;
