import * as Command from "@effect/cli/Command"
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Span from "@effect/cli/HelpDoc/Span"
import { version } from "../http/Version.js"
import { loggingLayer } from "./Logging.js"
import { runServe, serve } from "./Serve.js"

const footer = HelpDoc.blocks([
  HelpDoc.h1("EXAMPLES"),
  HelpDoc.p("$ plane-sync                            serve on ORCH_HOST:ORCH_PORT"),
  HelpDoc.h1("EXIT CODES"),
  HelpDoc.p("0 done, 1 it could not be done (settings, address, storage, Plane), 2 wrong use")
])

const root = Command.make("plane-sync", {}, () => runServe).pipe(
  Command.withDescription("What happened to a task becomes the state and a comment of its Plane work item."),
  Command.withSubcommands([serve]),
  Command.provide(loggingLayer)
)

/** The command line. */
export const run = Command.run(root, {
  name: "plane-sync",
  version,
  summary: Span.text("makes Plane tell the truth"),
  executable: "plane-sync",
  footer
})
