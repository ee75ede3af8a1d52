/** Part of the key a vendor token is encrypted with; the Node server's path, so that its tokens open too (contract 3.3). */
export function vendorTokenPath(accountId: string, vendor: string): string[] {
    return ['user', accountId, 'vendors', vendor, 'token'];
}

/** The same for an account's GitHub token. */
export function githubTokenPath(accountId: string): string[] {
    return ['user', accountId, 'github', 'token'];
}
