import * as ValidationError from "@effect/cli/ValidationError"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeTerminal from "@effect/platform-node/NodeTerminal"
import { Cause, Console, Effect, Exit, Layer, Option } from "effect"
import { AimsMissed, run } from "./Program.js"

const said = (error: unknown) => ValidationError.isValidationError(error) || error instanceof AimsMissed

const explain = (cause: Cause.Cause<unknown>) =>
  Option.exists(Cause.failureOption(cause), said) || Cause.isInterruptedOnly(cause)
    ? Effect.void
    : Console.error(Cause.pretty(cause, { renderErrorCause: true }))

const exitCode = (exit: Exit.Exit<unknown, unknown>): number => {
  if (Exit.isSuccess(exit)) return 0
  if (Cause.isInterruptedOnly(exit.cause)) return 130
  return Option.exists(Cause.failureOption(exit.cause), ValidationError.isValidationError) ? 2 : 1
}

run(process.argv).pipe(
  Effect.provide(Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, NodeTerminal.layer)),
  Effect.tapErrorCause(explain),
  NodeRuntime.runMain({
    disableErrorReporting: true,
    teardown: (exit, onExit) => onExit(exitCode(exit))
  })
)
