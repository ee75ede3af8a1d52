import { createServer } from 'node:net';

/**
 * Why a server cannot listen on the port, or null when it can; tried on each address a local server may take.
 *
 * @param {number} port
 * @param {string[]} [hosts]
 * @returns {Promise<'taken' | 'forbidden' | null>}
 */
export async function portProblem(port, hosts = ['127.0.0.1', '::1']) {
    const problems = await Promise.all(hosts.map((host) => tryListen(port, host)));
    return problems.find((problem) => problem !== null) ?? null;
}

/**
 * A port that is free now, chosen by the system.
 *
 * @returns {Promise<number>}
 */
export function freePort() {
    return new Promise((resolve, reject) => {
        const server = createServer();
        server.on('error', reject);
        server.listen(0, '127.0.0.1', () => {
            const address = server.address();
            const port = typeof address === 'object' && address ? address.port : 0;
            server.close(() => {
                resolve(port);
            });
        });
    });
}

/**
 * @param {number} port
 * @param {string} host
 * @returns {Promise<'taken' | 'forbidden' | null>}
 */
function tryListen(port, host) {
    return new Promise((resolve) => {
        const server = createServer();
        server.on('error', (/** @type {NodeJS.ErrnoException} */ error) => {
            // Any other error means that the machine lacks the address (no IPv6): nothing listens there either.
            const known = { EADDRINUSE: /** @type {const} */ ('taken'), EACCES: /** @type {const} */ ('forbidden') };
            resolve(known[/** @type {keyof typeof known} */ (error.code)] ?? null);
        });
        server.listen({ port, host, exclusive: true }, () => {
            server.close(() => {
                resolve(null);
            });
        });
    });
}
