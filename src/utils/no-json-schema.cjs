/**
 * Stands in the bundle for what zod needs to write JSON schemas, which no request asks for (`alias` in wrangler.toml):
 * the OpenAPI document is written ahead, by zod itself.
 */
module.exports = {};
