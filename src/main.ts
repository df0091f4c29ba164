#!/usr/bin/env node
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeTerminal from "@effect/platform-node/NodeTerminal"
import { Effect, Layer } from "effect"
import { withoutColour } from "./cli/Colour.js"
import { dotEnvLayer } from "./cli/DotEnv.js"
import { exitCode, explain } from "./cli/Failure.js"
import { runServe } from "./cli/Serve.js"
import { schemaLayer } from "./Schema.js"

const platform = Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, NodeTerminal.layer, schemaLayer)

const args = process.argv.slice(2)

// The parser of the command line is a seventh of what is to be loaded, and a service that is started again has no time for
// it.
const program = args.length === 0 || (args.length === 1 && args[0] === "serve")
  ? runServe
  : Effect.flatMap(Effect.promise(() => import("./cli/Program.js")), ({ run }) => run(process.argv))

program.pipe(
  Effect.provide(Layer.provideMerge(dotEnvLayer, platform)),
  Effect.tapErrorCause(explain),
  withoutColour,
  NodeRuntime.runMain({
    disableErrorReporting: true,
    disablePrettyLogger: true,
    teardown: (exit, onExit) => onExit(exitCode(exit))
  })
)
