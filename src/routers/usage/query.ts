import { and, count, eq, gte, lte, sql } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import type { AccountContext } from '@/context';
import { usageReports } from '@/db/schema';
import { ownedSessionId, selectSessionId, sessionNotFound } from '@/routers/sessions/service';
import { MAX_PARTS } from '@/routers/usage/schema';
import type { QueryUsageInput } from '@/routers/usage/schema';

/** Hours of six weeks, days of nearly three years: the newest are given. */
const MAX_BUCKETS = 1000;

const BUCKET_MS = { hour: 3_600_000, day: 86_400_000 };

/**
 * Hourly or daily sums of what was reported, in UTC, oldest first (contract 4.5).
 * @throws NOT_FOUND for a session that is not the caller's
 */
export async function queryUsage(ctx: AccountContext, { sessionId, startTime, endTime, groupBy }: QueryUsageInput) {
    const { accountId } = ctx.actor;
    const { createdAt } = usageReports;
    const wanted = and(
        eq(usageReports.accountId, accountId),
        sessionId == null ? undefined : eq(usageReports.sessionId, ownedSessionId(accountId, sessionId)),
        startTime == null ? undefined : gte(createdAt, startTime * 1000),
        endTime == null ? undefined : lte(createdAt, endTime * 1000 + 999),
    );
    const [owned, total, buckets] = await ctx.db.batch([
        selectSessionId(ctx.db, accountId, sessionId ?? ''),
        ctx.db.select({ reports: count() }).from(usageReports).where(wanted),
        ctx.db.select(bucketColumns).from(sumsByBucket(wanted, BUCKET_MS[groupBy])).orderBy(bucketColumns.timestamp),
    ]);
    if (sessionId != null && owned.length === 0) throw sessionNotFound();
    return {
        usage: buckets.map(({ timestamp, reportCount, tokens, cost }) => ({
            timestamp,
            tokens: JSON.parse(tokens) as Record<string, number>,
            cost: JSON.parse(cost) as Record<string, number>,
            reportCount,
        })),
        groupBy,
        totalReports: total[0]?.reports ?? 0,
    };
}

const bucketColumns = {
    timestamp: sql<number>`timestamp`,
    reportCount: sql<number>`reportCount`,
    tokens: sql<string>`tokens`,
    cost: sql<string>`cost`,
};

/** A row for each hour or day with reports, its sums as JSON objects; `total` and the largest kinds of each. */
function sumsByBucket(wanted: SQL | undefined, bucketMs: number): SQL {
    // Not parameters: D1 binds every number as floating point, and would divide like that.
    const [milliseconds, seconds] = [sql.raw(String(bucketMs)), sql.raw(String(bucketMs / 1000))];
    // A sum as floating point cannot overflow, and is exact as far as JavaScript's own numbers are.
    const amounts = (part: 'tokens' | 'cost') => sql`
        SELECT bucket, ${part} AS part, amount.key AS key, total(amount.value) AS value
        FROM report, json_each(data, ${`$.${part}`}) amount GROUP BY bucket, amount.key`;
    return sql`(WITH
        report AS MATERIALIZED (SELECT createdAt / ${milliseconds} AS bucket, data FROM ${usageReports} WHERE ${wanted}),
        newest AS (SELECT bucket, count(*) AS reports FROM report GROUP BY bucket ORDER BY bucket DESC LIMIT ${MAX_BUCKETS}),
        amounts AS (${amounts('tokens')} UNION ALL ${amounts('cost')}),
        ranked AS (SELECT *, row_number() OVER (
            PARTITION BY bucket, part ORDER BY key = 'total' DESC, value DESC, key) AS place FROM amounts)
        SELECT newest.bucket * ${seconds} AS timestamp, newest.reports AS reportCount,
            json_group_object(key, value) FILTER (WHERE part = 'tokens') AS tokens,
            json_group_object(key, value) FILTER (WHERE part = 'cost') AS cost
        FROM newest LEFT JOIN ranked ON ranked.bucket = newest.bucket AND ranked.place <= ${MAX_PARTS}
        GROUP BY newest.bucket)`;
}
