import { accessKeysRouter } from '@/routers/access-keys/router';
import { accountRouter } from '@/routers/account/router';
import { artifactsRouter } from '@/routers/artifacts/router';
import { authRouter } from '@/routers/auth/router';
import { connectRouter } from '@/routers/connect/router';
import { devRouter } from '@/routers/dev/router';
import { feedRouter } from '@/routers/feed/router';
import { friendsRouter } from '@/routers/friends/router';
import { kvRouter } from '@/routers/kv/router';
import { machinesRouter } from '@/routers/machines/router';
import { messagesRouter } from '@/routers/messages/router';
import { realtimeRouter } from '@/routers/realtime/router';
import { pushRouter } from '@/routers/push/router';
import { sessionsRouter } from '@/routers/sessions/router';
import { uploadsRouter } from '@/routers/uploads/router';
import { usageRouter } from '@/routers/usage/router';
import { usersRouter } from '@/routers/users/router';
import { versionRouter } from '@/routers/version/router';
import { voiceRouter } from '@/routers/voice/router';
import { router } from '@/trpc';

/** Every procedure of the server, by domain; the doors in `http/` and `realtime/` serve these and nothing else. */
export const appRouter = router({
    auth: authRouter,
    sessions: sessionsRouter,
    messages: messagesRouter,
    realtime: realtimeRouter,
    machines: machinesRouter,
    artifacts: artifactsRouter,
    accessKeys: accessKeysRouter,
    kv: kvRouter,
    push: pushRouter,
    account: accountRouter,
    users: usersRouter,
    friends: friendsRouter,
    feed: feedRouter,
    usage: usageRouter,
    connect: connectRouter,
    uploads: uploadsRouter,
    voice: voiceRouter,
    version: versionRouter,
    dev: devRouter,
});

/** The type that tRPC clients import. */
export type AppRouter = typeof appRouter;
