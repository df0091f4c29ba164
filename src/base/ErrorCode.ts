import { Schema } from "effect"

/** Whether something that was thrown has a code, as errors of Node and of SQLite have: "EADDRINUSE", "SQLITE_BUSY". */
export const hasCode = Schema.is(Schema.Struct({ code: Schema.String }))
