import { io } from 'socket.io-client';
import type { Socket } from 'socket.io-client';
import type { Client } from './client';

/** Opens a socket as published clients do, and waits until it is connected; user-scoped unless `auth` says otherwise. */
export function openStockSocket(
    { origin, token }: Pick<Client, 'origin' | 'token'>,
    auth: object = {},
): Promise<Socket> {
    const socket = io(origin, {
        path: '/v1/updates/',
        transports: ['websocket'],
        reconnection: false,
        forceNew: true,
        auth: { token, ...auth },
    });
    return new Promise((resolve, reject) => {
        socket.once('connect', () => resolve(socket));
        socket.once('connect_error', reject);
    });
}
