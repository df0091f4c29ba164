import { Schema } from "effect"
import { readFileSync } from "node:fs"

const Package = Schema.parseJson(Schema.Struct({ version: Schema.String }))

/** This program's version, as its package.json has it: the same file above `src` and above `dist`. */
export const version: string =
  Schema.decodeSync(Package)(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).version
