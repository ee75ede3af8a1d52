import { verify } from '@octokit/webhooks-methods';
import * as z from 'zod';
import { callOutside } from '@/integrations/call';
import type { IntegrationsConfig } from '@/integrations/config';

/** What the server may see of an account on GitHub: what it shows of the profile, nothing more. */
const SCOPES = 'read:user user:email';
const USER_AGENT = 'happy-server-workers';

/** Where a person allows the OAuth app to read their profile. */
export function githubAuthorizeUrl(url: string, clientId: string, redirectUrl: string, state: string): string {
    const authorize = new URL(`${url}/login/oauth/authorize`);
    authorize.search = new URLSearchParams({
        client_id: clientId,
        redirect_uri: redirectUrl,
        scope: SCOPES,
        state,
    }).toString();
    return authorize.href;
}

const TokenReply = z.object({
    // It goes into a header next: workerd prints header values that are not ASCII.
    access_token: z
        .string()
        .regex(/^[\x21-\x7e]{1,1024}$/)
        .optional(),
    error: z.string().optional(),
});

/**
 * Exchanges the code of a callback for the person's token. GitHub refuses with its own word in `error`.
 * @throws OutsideError
 */
export function exchangeGithubCode(
    { timeoutMs, github }: IntegrationsConfig,
    app: { clientId: string; clientSecret: string },
    code: string,
) {
    return callOutside({
        service: 'GitHub',
        url: new URL(`${github.url}/login/oauth/access_token`),
        init: {
            method: 'POST',
            headers: { Accept: 'application/json', 'Content-Type': 'application/json', 'User-Agent': USER_AGENT },
            body: JSON.stringify({ client_id: app.clientId, client_secret: app.clientSecret, code }),
        },
        timeoutMs,
        reply: TokenReply,
    });
}

const User = z.looseObject({ id: z.int().positive(), login: z.string().min(1).max(100) });

/**
 * The profile of whoever the token belongs to, as GitHub sends it.
 * @throws OutsideError
 */
export function fetchGithubUser({ timeoutMs, github }: IntegrationsConfig, accessToken: string) {
    return callOutside({
        service: 'GitHub',
        url: new URL(`${github.apiUrl}/user`),
        init: {
            headers: {
                Accept: 'application/vnd.github+json',
                Authorization: `Bearer ${accessToken}`,
                'User-Agent': USER_AGENT,
                'X-GitHub-Api-Version': '2022-11-28',
            },
        },
        timeoutMs,
        reply: User,
    });
}

/** Whether a webhook delivery is GitHub's: its signature (`sha256=…`) is over the body's very bytes. */
export async function isGithubDelivery(secret: string, body: Uint8Array, signature: string): Promise<boolean> {
    if (!/^sha256=[0-9a-f]{64}$/.test(signature)) return false;
    const text = decodeExactly(body);
    return text !== null && text !== '' && verify(secret, text, signature);
}

/** The text whose UTF-8 is exactly these bytes, a byte order mark included; null when there is none. */
function decodeExactly(bytes: Uint8Array): string | null {
    try {
        return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
        return null;
    }
}
