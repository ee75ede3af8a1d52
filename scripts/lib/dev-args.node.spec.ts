import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readDevArgs } from './dev-args.mjs';
import { inProject } from './project.mjs';

describe('the arguments of npm run dev', () => {
    it('have defaults', () => {
        expect(readDevArgs([], {})).toEqual({
            port: 8787,
            ip: 'localhost',
            persistTo: inProject('.wrangler', 'state'),
            quiet: false,
            help: false,
        });
    });

    it('prefer the option to the variable PORT', () => {
        expect(readDevArgs([], { PORT: '9000' }).port).toBe(9000);
        expect(readDevArgs([], { PORT: '' }).port).toBe(8787);
        expect(readDevArgs(['--port=9001'], { PORT: '9000' }).port).toBe(9001);
    });

    it('take a folder for the state relative to where the command was started', () => {
        expect(readDevArgs(['--persist-to', 'tmp/x'], {}).persistTo).toBe(path.resolve('tmp/x'));
    });

    it.each(['0', '65536', 'http', '80.5', '-1'])('refuse the port %s', (port) => {
        expect(() => readDevArgs([`--port=${port}`], {})).toThrow('is not a port');
    });

    it('refuse an unknown option and show the known ones', () => {
        expect(() => readDevArgs(['--prot', '1'], {})).toThrow(/--prot[^]*--persist-to DIR/);
        expect(() => readDevArgs(['9000'], {})).toThrow(/--port N/);
    });
});
