import {
    BroadcastInput,
    BroadcastOutput,
    NoInput,
    StatsOutput,
    TicketOutput,
    UpdatesInput,
    UpdatesOutput,
} from '@/routers/realtime/schema';
import { broadcast, stats, ticket } from '@/routers/realtime/service';
import { updates } from '@/routers/realtime/updates';
import { accountProcedure, restOf, router } from '@/trpc';

const rest = restOf('Realtime');

export const realtimeRouter = router({
    ticket: accountProcedure
        .meta(rest('POST', '/v1/websocket/ticket', 'Get a ticket to open one WebSocket with'))
        .input(NoInput)
        .output(TicketOutput)
        .mutation(({ ctx }) => ticket(ctx)),
    stats: accountProcedure
        .meta(rest('GET', '/v1/websocket/stats', 'Count the open WebSockets of the account'))
        .input(NoInput)
        .output(StatsOutput)
        .query(({ ctx }) => stats(ctx)),
    broadcast: accountProcedure
        .meta(rest('POST', '/v1/websocket/broadcast', "Send a message to the account's own WebSockets"))
        .input(BroadcastInput)
        .output(BroadcastOutput)
        .mutation(({ ctx, input }) => broadcast(ctx, input)),
    updates: accountProcedure
        .input(UpdatesInput)
        .output(UpdatesOutput)
        .subscription(({ ctx, input, signal }) => updates(ctx, input, signal)),
});
