import type { ServiceContext } from '@/context';
import { ServiceError } from '@/errors';
import type { ClientLogInput } from '@/routers/dev/schema';

/**
 * Passes only where the dev log is switched on, which production never is.
 * @throws NOT_FOUND like a path that does not exist
 */
export function requireDevLog({ config }: ServiceContext): void {
    if (!config.devLog) throw new ServiceError('NOT_FOUND', 'Not found');
}

/** Writes a client's log line into the server's log (contract 4.6). */
export function logForClient({ log }: ServiceContext, { level, message, timestamp, source, platform }: ClientLogInput) {
    const write = level.toLowerCase() === 'error' ? log.error : log.info;
    write('client log', { clientLevel: level, clientMessage: message, clientTime: timestamp, source, platform });
    return { success: true as const };
}
