import { createTRPCClient, httpBatchLink } from '@trpc/client';
import type { AppRouter } from '@/routers';
import type { TestServer } from '@test/helpers/server';

/** A tRPC client of the server, as an app has it; with a bearer token and further headers if given. */
export function createClient(server: TestServer, token?: string, headers: Record<string, string> = {}) {
    return createTRPCClient<AppRouter>({
        links: [
            httpBatchLink({
                url: 'https://happy.test/trpc',
                headers: token === undefined ? headers : { ...headers, Authorization: `Bearer ${token}` },
                fetch: (url, init) => server.fetch(String(url), init as RequestInit),
            }),
        ],
    });
}
