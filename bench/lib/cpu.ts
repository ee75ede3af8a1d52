import { readFileSync } from 'node:fs';

/** `/proc` counts CPU time in ticks of 1/100 s, on every Linux that Node.js runs on. */
const TICK_MS = 10;

/**
 * CPU time that a process has used so far, all its threads together, user and system, in ms; null where `/proc` does not
 * tell. Seen from outside: timers inside a Worker stand still while it computes.
 */
export function cpuMs(pid: number | null): number | null {
    if (pid === null) return null;
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in parentheses, may hold anything; fields 14 and 15 are utime and stime.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}
