/**
 * What stock clients speak to elsewhere, at its barest: Socket.IO in Node.js, which passes on to an account's other
 * sockets what one of them sends, from memory to memory. It checks, numbers and keeps nothing.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';

const http = createServer();
const server = new Server(http, { path: '/v1/updates', transports: ['websocket'] });
server.on('connection', (socket) => {
    const { token } = socket.handshake.auth as { token: string };
    void socket.join(token);
    socket.on('message', (message: object, acknowledge: (answer: object) => void) => {
        socket.to(token).emit('update', { body: { t: 'new-message', message } });
        acknowledge({ result: 'success' });
    });
    socket.on('broadcast', (data: object, acknowledge: (answer: object) => void) => {
        socket.to(token).emit('broadcast', data);
        acknowledge({ result: 'success' });
    });
});
http.listen(0, '127.0.0.1', () => process.send?.((http.address() as AddressInfo).port));
