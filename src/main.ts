#!/usr/bin/env node
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeTerminal from "@effect/platform-node/NodeTerminal"
import { Effect, Layer } from "effect"
import { dotEnvLayer } from "./cli/DotEnv.js"
import { exitCode } from "./cli/ExitCode.js"
import { explain } from "./cli/Explain.js"
import { loadProgram } from "./cli/LoadProgram.js"
import { serve } from "./cli/Serve.js"
import { forTerminal } from "./cli/Terminal.js"
import { schemaLayer } from "./Schema.js"

const platform = Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, NodeTerminal.layer, schemaLayer)

const args = process.argv.slice(2)

// The server is loaded only to serve, because no other command needs it.
const serving = serve(
  Effect.map(
    Effect.promise(() => import("./http/Serve.js")),
    ({ serveLayer }) => Layer.provide(serveLayer, schemaLayer)
  )
)

// The parser of the command line is loaded only when there is something to parse. It is a seventh of all that is
// loaded, and a service that is restarted must be back soon.
const program = args.length === 0 || (args.length === 1 && args[0] === "serve")
  ? serving
  : Effect.flatMap(loadProgram, ({ run }) => run(process.argv, serving))

program.pipe(
  Effect.provide(Layer.provideMerge(dotEnvLayer, platform)),
  Effect.tapErrorCause(explain),
  forTerminal,
  NodeRuntime.runMain({
    disableErrorReporting: true,
    disablePrettyLogger: true,
    teardown: (exit, onExit) => onExit(exitCode(exit))
  })
)
