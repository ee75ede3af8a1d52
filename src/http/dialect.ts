import { stockCursor, stockGithub, stockImage } from '@/http/stock-shapes';

/**
 * Published clients expect a few shapes that contradict the documented ones; a request is theirs when it carries
 * `X-Happy-Client` (contract 1). Every difference on REST is a row here, those on
 * sockets are in `dialect-events.ts`, and nothing of it reaches the services.
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
    'account.profile': { output: stockProfile },
    'account.updateProfile': { output: stockProfileChange },
    'users.search': { output: ({ users }: { users: Pictured[] }) => ({ users: users.map(stockUser) }) },
    'users.get': { output: ({ user }: { user: Pictured }) => ({ user: stockUser(user) }) },
    'friends.list': { output: ({ friends }: { friends: Pictured[] }) => ({ friends: friends.map(stockUser) }) },
    'friends.add': { output: stockFriend },
    'friends.remove': { output: stockFriend },
};

interface Pictured {
    avatar: object | null;
}

interface Profile extends Pictured {
    github: object | null;
}

function stockFeed({ items, ...page }: { items: { cursor: string }[] }) {
    return { items: items.map((item) => ({ ...item, cursor: stockCursor(item.cursor) })), ...page };
}

function stockProfile(profile: Profile) {
    return { ...stockUser(profile), github: stockGithub(profile.github) };
}

function stockProfileChange({ profile, ...outcome }: { profile?: Profile }) {
    return profile ? { ...outcome, profile: stockProfile(profile) } : outcome;
}

function stockUser<User extends Pictured>(user: User) {
    return { ...user, avatar: stockImage(user.avatar) };
}

function stockFriend({ user }: { user: Pictured | null }) {
    return { user: user && stockUser(user) };
}

/** The stock client's variant of a procedure, if this request is one's and there is one. */
export function dialectOf(request: Request, procedurePath: string): Dialect | undefined {
    return request.headers.has('X-Happy-Client') ? STOCK[procedurePath] : undefined;
}
