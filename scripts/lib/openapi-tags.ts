/** What each group of operations is about. A group without words here ends the build. */
const DESCRIPTIONS: Record<string, string> = {
    Server: 'What runs here, and whether it can work',
    'Access keys': 'Keys that let a machine work on a session, encrypted by the client',
    Account: 'Your profile and your encrypted settings',
    Artifacts: 'Encrypted documents with a header and a body, each of its own version',
    Auth: 'Login by signed challenge, pairing of terminals and devices, the end of tokens',
    Connect: 'Tokens of AI vendors, kept encrypted, and the link to GitHub',
    Dev: 'Log lines of apps under development; never in production',
    Feed: 'What happened between you and your friends, newest first',
    Friends: 'Requests, friends and their end',
    KV: 'Small encrypted values by key, written several at once or not at all',
    Machines: 'Computers whose daemon runs your agents',
    Messages: 'The encrypted history of a session, numbered without gaps',
    Push: 'Devices that get notifications',
    Realtime: 'WebSockets for live updates, and their tickets',
    Sessions: 'Conversations with an agent, their encrypted metadata, state and attachments',
    Uploads: 'Files and avatars',
    Usage: 'Tokens and cost that agents reported, summed by hour or day',
    Users: 'Other people, by name',
    Version: 'Whether an app has to be updated',
    Voice: 'Conversations by voice, and how much of them is left',
};

/**
 * The document's `tags`.
 *
 * @throws Error for a tag without a description
 */
export function describeTags(names: string[]): { name: string; description: string }[] {
    return names.map((name) => {
        const description = DESCRIPTIONS[name];
        if (description === undefined) throw new Error(`scripts/lib/openapi-tags.ts does not describe the tag ${name}`);
        return { name, description };
    });
}
