import * as Options from "@effect/cli/Options"
import { Either, Schema } from "effect"
import { describeParseError } from "../base/Issue.js"
import type { Link } from "../domain/Link.js"
import { Links } from "../domain/Link.js"
import { invalidOption } from "./ListOptions.js"

const decode = Schema.decodeUnknownEither(Links, { errors: "all" })

/** A link as it is typed: "log https://ci.example.com/7 Log of the analyst". Without a title it has its kind. */
const typed = (text: string): Link => {
  const [kind = "", url = "", ...title] = text.trim().split(/\s+/)
  return { kind, url, title: title.length === 0 ? kind : title.join(" ") }
}

/** `--link`, any number of times. */
export const linkOption = Options.text("link").pipe(
  Options.withDescription(
    "A link that the work item is to have: its kind, its address and a title, like \"log https://ci.example.com/7 Log\""
  ),
  Options.repeated,
  Options.mapEffect((given) =>
    Either.mapLeft(decode(given.map(typed)), (error) => invalidOption(`--link: ${describeParseError(error)}`))
  )
)
