/**
 * This project's own rules for oxlint; oxlint.json says in which files each of them holds.
 */
import { githubCasing } from './rules/github-casing.mjs';
import { noAmbientTimeOrIds } from './rules/no-ambient-time-or-ids.mjs';
import { noTransaction } from './rules/no-transaction.mjs';
import { protocolHelpers } from './rules/protocol-helpers.mjs';
import { routerWithoutDatabase } from './rules/router-without-database.mjs';

export default {
    meta: { name: 'happy' },
    rules: {
        'github-casing': githubCasing,
        'no-ambient-time-or-ids': noAmbientTimeOrIds,
        'no-transaction': noTransaction,
        'protocol-helpers': protocolHelpers,
        'router-without-database': routerWithoutDatabase,
    },
};
