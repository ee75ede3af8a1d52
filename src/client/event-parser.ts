/** One event of a `text/event-stream`, as the HTML standard has it. */
export interface StreamEvent {
    /** `message` unless the stream names another. */
    type: string;
    data: string;
    lastEventId: string;
}

/** Reads a `text/event-stream` as it comes, cut anywhere. */
export interface EventParser {
    push(text: string): void;
}

interface Options {
    /** The id that is current when the stream begins. */
    lastEventId: string;
    /** Called for each event, and with empty data to tell of an id alone. */
    onEvent(event: StreamEvent): void;
    /** The stream wishes for this pause before a reconnect, in ms. */
    onRetry(ms: number): void;
}

/** Creates the parser of one stream (HTML standard, 9.2.6). */
export function createEventParser({ lastEventId, onEvent, onRetry }: Options): EventParser {
    let rest = '';
    let isFirst = true;
    let type = '';
    let data: string[] = [];
    let id = lastEventId;

    function line(text: string): void {
        if (text === '') return dispatch();
        const colon = text.indexOf(':');
        if (colon === 0) return;
        const field = colon < 0 ? text : text.slice(0, colon);
        const value = colon < 0 ? '' : text.slice(colon + 1).replace(/^ /, '');
        if (field === 'event') type = value;
        if (field === 'data') data.push(value);
        if (field === 'id' && !value.includes('\0')) id = value;
        if (field === 'retry' && /^\d+$/.test(value)) onRetry(Number(value));
    }

    function dispatch(): void {
        onEvent({ type: data.length > 0 ? type || 'message' : '', data: data.join('\n'), lastEventId: id });
        type = '';
        data = [];
    }

    return {
        push(text) {
            rest += isFirst ? text.replace(/^\uFEFF/, '') : text;
            if (text !== '') isFirst = false;
            // A carriage return at the very end may be half of a line break.
            for (let match = /\r\n|\n|\r(?!$)/.exec(rest); match; match = /\r\n|\n|\r(?!$)/.exec(rest)) {
                line(rest.slice(0, match.index));
                rest = rest.slice(match.index + match[0].length);
            }
        },
    };
}
