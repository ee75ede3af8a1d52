import { sql } from 'drizzle-orm';
import type { AccountContext, ServiceContext } from '@/context';
import { createTokenCodec } from '@/crypto/privacy-kit-token';
import type { TokenClaims } from '@/crypto/privacy-kit-token';
import { writeBatch } from '@/db/batch';
import { claimOnce } from '@/db/repeat-keys';
import { ServiceError, describeForLog } from '@/errors';
import { exchangeGithubCode, fetchGithubUser, githubAuthorizeUrl } from '@/integrations/github';
import { toGithub } from '@/routers/account/github';
import { linkGithub } from '@/routers/connect/github-link';

/** How long somebody has to allow the app on GitHub, in seconds (contract 3.2). */
const STATE_TTL_SECONDS = 300;

/** What GitHub sends a person back with. */
export interface GitHubCallback {
    code?: string | undefined;
    state?: string | undefined;
    /** GitHub's own word when the person or GitHub refused. */
    error?: string | undefined;
}

type Outcome = { user: string } | { error: string };

/** Where to allow this server to read a GitHub profile, for the caller's account. */
export async function githubParams(ctx: AccountContext) {
    const { url, clientId, redirectUrl } = ctx.config.integrations.github;
    if (!clientId || !redirectUrl) throw new ServiceError('VALIDATION_FAILED', 'GitHub OAuth not configured');
    const state = await stateCodec(ctx).sign({
        user: ctx.actor.accountId,
        issuedAt: Math.floor(ctx.now() / 1000),
        jti: ctx.newId(),
    });
    return { url: githubAuthorizeUrl(url, clientId, redirectUrl, state) };
}

/**
 * Links the GitHub identity of whoever comes back with a good state and code.
 * @returns where to send the person: the app, told `github=connected&user=…` or `error=…` (contract 4.6). Never throws.
 */
export async function finishGithub(ctx: ServiceContext, callback: GitHubCallback): Promise<string> {
    const outcome = await link(ctx, callback).catch((error: unknown): Outcome => {
        ctx.log.error('linking GitHub failed', { error: describeForLog(error) });
        return { error: 'server_error' };
    });
    const target = new URL(ctx.config.integrations.appUrl);
    if ('user' in outcome) target.searchParams.set('github', 'connected');
    for (const [name, value] of Object.entries(outcome)) target.searchParams.set(name, value);
    return target.href;
}

async function link(ctx: ServiceContext, { code, state, error }: GitHubCallback): Promise<Outcome> {
    const claims = await stateCodec(ctx).verify(state ?? '', ctx.now());
    // Spent whatever becomes of it, and before anybody is asked anything (contract 4.6).
    if (!claims || !(await spendState(ctx, claims))) return { error: 'invalid_state' };
    if (error !== undefined) return { error: githubsWord(error) };

    const { integrations } = ctx.config;
    const { clientId, clientSecret } = integrations.github;
    if (!clientId || !clientSecret) return { error: 'server_config' };
    if (!code) return { error: 'no_access_token' };

    const reply = await exchangeGithubCode(integrations, { clientId, clientSecret }, code);
    if (reply.error !== undefined) return { error: githubsWord(reply.error) };
    if (!reply.access_token) return { error: 'no_access_token' };
    return linkOwner(ctx, claims, reply.access_token);
}

async function linkOwner(ctx: ServiceContext, state: TokenClaims, accessToken: string): Promise<Outcome> {
    const user = await fetchGithubUser(ctx.config.integrations, accessToken).catch((error: unknown) => {
        ctx.log.error('GitHub profile not fetched', { error: describeForLog(error) });
        return null;
    });
    const profile = toGithub(user);
    if (profile === null) return { error: 'github_user_fetch_failed' };
    const linked = await linkGithub(ctx, {
        accountId: state.user,
        profile,
        accessToken,
    });
    return linked ? { user: profile.login } : { error: 'invalid_state' };
}

/** False when the state was used before. */
async function spendState(ctx: ServiceContext, { jti, issuedAt }: TokenClaims): Promise<boolean> {
    const expiresAt = (issuedAt + STATE_TTL_SECONDS) * 1000;
    const claim = claimOnce({ key: `github-state:${jti}`, attempt: ctx.newId(), now: ctx.now(), expiresAt });
    const { written } = await writeBatch(ctx.db, [sql`${claim} RETURNING key`], []);
    return written[0]?.length === 1;
}

function stateCodec({ config }: ServiceContext) {
    return createTokenCodec({
        seed: config.keys.githubStateSeed,
        service: 'github-happy',
        ttlSeconds: STATE_TTL_SECONDS,
    });
}

/** Only what looks like one of GitHub's words goes on to the app. */
function githubsWord(error: string): string {
    return /^[a-z_]{1,64}$/.test(error) ? error : 'server_error';
}
