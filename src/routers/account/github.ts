import type { GitHub } from '@/routers/account/schema';

/** The few fields of a GitHub profile that callers see (contract 13, Shapes); null when it names nobody. */
export function toGithub(profile: Record<string, unknown> | null): GitHub | null {
    const { id, login } = profile ?? {};
    if (typeof id !== 'number' || typeof login !== 'string') return null;
    const email = text(profile?.email);
    return {
        id,
        login,
        // Clients want a text here, and GitHub knows people without a name.
        name: text(profile?.name) ?? login,
        avatar_url: text(profile?.avatar_url) ?? '',
        bio: text(profile?.bio),
        ...(email !== null && { email }),
    };
}

function text(value: unknown): string | null {
    return typeof value === 'string' ? value : null;
}
