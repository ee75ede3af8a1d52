/** The middle one; of an even count the mean of the middle two. */
export function median(values: number[]): number {
    const sorted = values.toSorted((a, b) => a - b);
    const half = sorted.length / 2;
    const [low, high] = [sorted[Math.ceil(half) - 1], sorted[Math.floor(half)]];
    if (low === undefined || high === undefined) throw new Error('Nothing to take the median of');
    return (low + high) / 2;
}

/** The value that `share` (0 to 1) of all values do not exceed. */
export function percentile(values: number[], share: number): number {
    const value = values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(values.length * share) - 1)];
    if (value === undefined) throw new Error('Nothing to take a percentile of');
    return value;
}

/** Rounded for reading. */
export function round(value: number, digits = 2): number {
    return Number(value.toFixed(digits));
}
