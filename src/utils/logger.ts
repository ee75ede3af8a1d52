const LEVELS = ['debug', 'info', 'error'] as const;
type Level = (typeof LEVELS)[number];

/** Facts of a log line. Never tokens, keys, ciphertext or raw paths (paths can hold push tokens and KV keys). */
export type LogFields = Record<string, string | number | boolean | null | undefined>;

/** Writes one JSON object per line, as Workers Logs indexes them. */
export interface Logger {
    debug(message: string, fields?: LogFields): void;
    info(message: string, fields?: LogFields): void;
    error(message: string, fields?: LogFields): void;
}

/** A logger whose lines all carry `base`; lines below `threshold` (default `info`) are dropped. */
export function createLogger(base: LogFields, threshold: string | undefined): Logger {
    const least = Math.max(0, LEVELS.indexOf((threshold ?? 'info') as Level));
    const write = (level: Level) => (message: string, fields?: LogFields) => {
        if (LEVELS.indexOf(level) < least) return;
        const line = JSON.stringify({ level, message, ...base, ...fields });
        if (level === 'error') console.error(line);
        else console.log(line);
    };
    return { debug: write('debug'), info: write('info'), error: write('error') };
}
