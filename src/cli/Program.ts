import * as CliConfig from "@effect/cli/CliConfig"
import * as Command from "@effect/cli/Command"
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Span from "@effect/cli/HelpDoc/Span"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Effect, Layer } from "effect"
import { version } from "../http/Version.js"
import { PlaneClient } from "../plane/PlaneClient.js"
import { RateBudget } from "../plane/RateBudget.js"
import { comment } from "./AddComment.js"
import { events } from "./Events.js"
import { find } from "./Find.js"
import { loggingLayer } from "./Logging.js"
import { publish } from "./Publish.js"
import { runServe, serve } from "./Serve.js"

const plane = PlaneClient.layer.pipe(Layer.provide(RateBudget.layer), Layer.provide(NodeHttpClient.layer))

const footer = HelpDoc.blocks([
  HelpDoc.h1("EXAMPLES"),
  HelpDoc.p("$ plane-sync"),
  HelpDoc.p("$ plane-sync publish stage-changed ET-002 --from analysis --to architecture --agent architect"),
  HelpDoc.p("$ plane-sync events --status dead"),
  HelpDoc.p("$ plane-sync find ET-002"),
  HelpDoc.p("$ plane-sync comment ET-002 \"🧪 Test comment from Orchestrator\""),
  HelpDoc.h1("MORE"),
  HelpDoc.p("--help after a command, --version, --log-level debug, --completions bash|zsh|fish"),
  HelpDoc.h1("SETTINGS"),
  HelpDoc.p("Environment variables ORCH_…, or a file .env in the working directory: see .env.example"),
  HelpDoc.h1("EXIT CODES"),
  HelpDoc.p("0 done; 1 it could not be done (a setting, the address, storage, Plane); 2 wrong use")
])

const root = Command.make("plane-sync", {}, () => runServe).pipe(
  Command.withDescription(
    "What happened to a task becomes the state and a comment of its Plane work item. Without a command it serves."
  ),
  Command.withSubcommands([
    serve,
    publish,
    events,
    Command.provide(find, plane),
    Command.provide(comment, plane)
  ]),
  Command.provide(loggingLayer)
)

const parse = Command.run(root, {
  name: "plane-sync",
  version,
  summary: Span.text("makes Plane tell the truth"),
  executable: "plane-sync",
  footer
})

/** The command line, as `process.argv` has it. */
export const run = (argv: ReadonlyArray<string>) =>
  Effect.provide(parse(argv), CliConfig.layer({ showBuiltIns: false }))
