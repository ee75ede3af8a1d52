/**
 * Published clients expect a few shapes that contradict the documented ones; a request is theirs when it carries
 * `X-Happy-Client` (contract 1). Every difference on REST is a row here, and nothing of it reaches the services.
 */
export interface Dialect {
    /** What a stock client means beyond what it sends. */
    input?: Record<string, unknown>;
    /** The stock shape of an answer. */
    output?: (output: never) => unknown;
}

const STOCK: Record<string, Dialect> = {
    'sessions.delete': { input: { hard: true } },
    'machines.list': { output: ({ machines }: { machines: unknown[] }) => machines },
    'artifacts.list': { output: ({ artifacts }: { artifacts: unknown[] }) => artifacts },
    'feed.list': { output: stockFeed },
};

/** Stock clients read a feed item's number from the third character of its cursor on. */
function stockFeed({ items, ...page }: { items: { cursor: string }[] }) {
    return { items: items.map((item) => ({ ...item, cursor: item.cursor.replace('cursor_', '0-') })), ...page };
}

/** The stock client's variant of a procedure, if this request is one's and there is one. */
export function dialectOf(request: Request, procedurePath: string): Dialect | undefined {
    return request.headers.has('X-Happy-Client') ? STOCK[procedurePath] : undefined;
}
