import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Cause, Console, Data, Duration, Effect, Exit, Option } from "effect"
import type { Attack } from "./Attack.js"
import { Skipped } from "./Attack.js"
import { attacks } from "./cases/Attacks.js"
import { Target } from "./Target.js"

/** An attack was not withstood, and the output has said which. */
class Failed extends Data.TaggedError("Failed") {}

/** None takes longer, whatever happens. */
const limit = "2 minutes"

const names = Args.choice(attacks.map((attack) => [attack.name, attack]), { name: "attack" }).pipe(
  Args.withDescription("attacks to run; all, if none is named"),
  Args.repeated
)
const list = Options.boolean("list").pipe(Options.withDescription("Only say which attacks there are"))
const subset = Options.choice("subset", ["ci"]).pipe(
  Options.optional,
  Options.withDescription("ci: the attacks that every change runs, at most a minute in all")
)

const words = (cause: Cause.Cause<unknown>) =>
  Option.match(Cause.failureOption(cause), {
    onNone: () => Cause.pretty(cause),
    onSome: (error) => error instanceof Error ? error.message : String(error)
  })

/** Runs an attack, and says how it ended. */
const run = ({ name, row, run }: Attack) =>
  Effect.gen(function*() {
    const [took, exit] = yield* Effect.timed(Effect.exit(Effect.scoped(Effect.timeout(run, limit))))
    const seconds = Duration.toSeconds(took).toFixed(1)
    const error = Exit.isFailure(exit) ? Option.getOrUndefined(Cause.failureOption(exit.cause)) : undefined
    const outcome = Exit.isSuccess(exit) ? "passed" : error instanceof Skipped ? "skipped" : "FAILED"
    yield* Console.log(`row ${row}  ${name}: ${outcome} (${seconds} s)`)
    if (error instanceof Skipped) yield* Console.log(`  because ${error.why}`)
    else if (Exit.isFailure(exit)) yield* Console.log(`  ${words(exit.cause)}`)
    return outcome
  })

const command = Command.make("attack", { names, list, subset }, (options) =>
  Effect.gen(function*() {
    const wanted = options.names.length > 0
      ? attacks.filter((attack) => options.names.includes(attack))
      : attacks.filter(({ inCi }) => Option.isNone(options.subset) || inCi)
    if (options.list) {
      return yield* Effect.forEach(
        wanted,
        ({ inCi, name, row, shows }) => Console.log(`row ${row}  ${name}${inCi ? " (ci)" : ""}: ${shows}`),
        { discard: true }
      )
    }
    // One after the other, because each measures.
    const outcomes = yield* Effect.provide(Effect.forEach(wanted, run), Target.layer)
    const count = (outcome: (typeof outcomes)[number]) => outcomes.filter((one) => one === outcome).length
    const failed = count("FAILED")
    yield* Console.log(`\n${count("passed")} passed, ${failed} failed`)
    if (failed > 0) return yield* new Failed()
  })).pipe(Command.withDescription("Attacks the built program by raw sockets, and judges what it answers and holds."))

Command.run(command, { name: "npm run attack --", version: "1" })(process.argv).pipe(
  Effect.tapErrorCause((cause) =>
    Option.exists(Cause.failureOption(cause), (error) => error instanceof Failed) || Cause.isInterruptedOnly(cause)
      ? Effect.void
      : Console.error(Cause.pretty(cause))
  ),
  Effect.provide(NodeContext.layer),
  NodeRuntime.runMain({ disableErrorReporting: true, disablePrettyLogger: true })
)
