import type { SocketEvent } from '@/realtime/events/socket-event';
import { socketEvent, successFalse } from '@/realtime/events/socket-event';
import { reportUsage } from '@/routers/usage/report';
import { ReportUsageInput } from '@/routers/usage/schema';

/** Socket event of usage reports. */
export const usageEvents: Record<string, SocketEvent> = {
    'usage-report': socketEvent(ReportUsageInput, reportUsage, successFalse),
};
