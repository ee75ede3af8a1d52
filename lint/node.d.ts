/** A node of the syntax tree (ESTree with TypeScript's nodes), as far as the rules read it. */
export interface Node {
    type: string;
    /** Offset in the file. */
    start: number;
    name: string;
    value: unknown;
    operator: string;
    computed: boolean;
    key: Node;
    property: Node;
    object: Node;
    expression: Node;
    callee: Node;
    arguments: Node[];
    imported: Node;
    source?: Node;
    left: Node;
    right: Node;
    init: Node | null;
    id: Node;
    params: Node[];
    properties: Node[];
}
