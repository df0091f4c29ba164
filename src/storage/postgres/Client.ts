/** All that needs `@effect/sql-pg`, so that it is loaded as one. */
export { lookIntoPostgres } from "./LookIntoPostgres.js"
export { openOwnPostgres } from "./OwnPostgres.js"
