#!/usr/bin/env node
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeTerminal from "@effect/platform-node/NodeTerminal"
import { Effect, Layer } from "effect"
import { dotEnvLayer } from "./cli/DotEnv.js"
import { exitCode, explain } from "./cli/Failure.js"
import { withoutColour } from "./cli/Plain.js"
import { run } from "./cli/Program.js"

const platform = Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, NodeTerminal.layer)

run(process.argv).pipe(
  Effect.provide(Layer.provideMerge(dotEnvLayer, platform)),
  Effect.tapErrorCause(explain),
  withoutColour,
  NodeRuntime.runMain({
    disableErrorReporting: true,
    disablePrettyLogger: true,
    teardown: (exit, onExit) => onExit(exitCode(exit))
  })
)
