/** Every procedure of the server, for types only. The package has a written-out copy in its place: no server code. */
export type { AppRouter } from '@/routers';
