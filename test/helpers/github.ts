import type { TestAccount } from '@test/helpers/account';
import { startServer } from '@test/helpers/server';
import type { TestServer } from '@test/helpers/server';
import { openServices } from '@test/services/services';
import type { OutsideServices } from '@test/services/services';

/** A person on GitHub, as its API tells of them. */
export interface GitHubPerson {
    id: number;
    login: string;
    name: string | null;
    avatar_url: string;
    bio: string | null;
    email: string | null;
    [more: string]: unknown;
}

/** A server of its own that takes the test's services for GitHub. */
export function githubServices(overrides: Record<string, unknown> = {}): {
    services: OutsideServices;
    server: TestServer;
} {
    const services = openServices();
    return { services, server: startServer({ ...services.env, ...overrides }) };
}

/** Somebody on GitHub whom no other test knows. */
export function createPerson(facts: Partial<GitHubPerson> = {}): GitHubPerson {
    const id = crypto.getRandomValues(new Uint32Array(1))[0] ?? 1;
    return {
        id: id + 1,
        login: `octo-${id}`,
        name: 'Octo Cat Doe',
        avatar_url: `https://avatars.test/u/${id}`,
        bio: 'A cat',
        email: null,
        company: 'GitHub',
        two_factor_authentication: true,
        ...facts,
    };
}

/** The state that GitHub is asked to give back, as `params` put it into the URL. */
export async function fetchState(account: TestAccount): Promise<string> {
    const { body } = await account.call('GET', '/v1/connect/github/params');
    return new URL(body.url).searchParams.get('state') ?? '';
}

/** Comes back from GitHub: where does the server send the person? */
export async function comeBack(server: TestServer, query: Record<string, string>): Promise<URL> {
    const response = await server.fetch(`/v1/connect/github/callback?${new URLSearchParams(query)}`, {
        redirect: 'manual',
    });
    if (response.status !== 302) throw new Error(`The callback answered ${response.status}: ${await response.text()}`);
    return new URL(response.headers.get('Location') ?? '');
}

/** Plans what GitHub says of the person, and comes back as them. */
export async function connectGithub(
    server: TestServer,
    services: OutsideServices,
    account: TestAccount,
    {
        person = createPerson(),
        accessToken = 'gho_token',
        state,
    }: { person?: GitHubPerson; accessToken?: string; state?: string } = {},
): Promise<{ person: GitHubPerson; location: URL }> {
    await services.plan('POST /login/oauth/access_token', {
        body: { access_token: accessToken, token_type: 'bearer' },
    });
    await services.plan('GET /user', { body: person });
    const location = await comeBack(server, { code: 'code-1', state: state ?? (await fetchState(account)) });
    return { person, location };
}
