import * as Prompt from "@effect/cli/Prompt"
import { QuitException, Terminal } from "@effect/platform/Terminal"
import type { Redacted } from "effect"
import { Console, Effect, Either, Mailbox, Redacted as Secret, Stream } from "effect"
import type { PastedAddress } from "./PastedAddress.js"
import { readAddress, readWorkspace } from "./PastedAddress.js"
import { readSecret } from "./PastedSecret.js"

type Asked<A> = Effect.Effect<A, QuitException, Prompt.Prompt.Environment>

/** Whether there is a person to ask. Without one nothing is asked. */
export const isAnswered: Effect.Effect<boolean> = Effect.sync(() => process.stdin.isTTY && process.stdout.isTTY)

/**
 * Runs what asks a person. Whatever is typed while nothing is asked is not shown, because it may be a secret; Ctrl-C ends
 * it at any time.
 */
export const withPerson = <A, E, R>(asking: Effect.Effect<A, E, R>) =>
  Effect.scoped(Effect.gen(function*() {
    const terminal = yield* Terminal
    const typed = yield* terminal.readInput
    const left = Effect.zipRight(Stream.runDrain(Mailbox.toStream(typed)), new QuitException())
    return yield* Effect.raceFirst(asking, left)
  }))

/** Asks for a line until it is right. What is said by default is taken for an empty one. */
const line = <A>(
  message: string,
  read: (text: string) => Either.Either<A, string>,
  before: string | undefined
): Asked<A> =>
  Effect.flatMap(
    Prompt.text({
      message,
      ...(before === undefined ? {} : { default: before }),
      validate: (text) => Either.mapBoth(read(text), { onLeft: (problem) => problem, onRight: () => text })
    }),
    (text) => Either.match(read(text), { onLeft: () => line(message, read, before), onRight: Effect.succeed })
  )

export const askAddress = (before: string | undefined): Asked<PastedAddress> =>
  line("Plane's address, or that of any of its pages", readAddress, before)

export const askWorkspace = (before: string | undefined): Asked<string> =>
  line("Workspace, as it stands in Plane's addresses", readWorkspace, before)

/** Asks for a secret, which is not shown. None for an empty answer. */
export const askSecretOrNone = (message: string): Asked<Redacted.Redacted | undefined> =>
  Effect.gen(function*() {
    for (;;) {
      const text = Secret.value(yield* Prompt.hidden({ message }))
      if (text.trim() === "") return undefined
      const secret = readSecret(text)
      if (Either.isRight(secret)) return secret.right
      yield* Console.error(`  ${secret.left}`)
    }
  })

/** The same where an empty answer is none. */
export const askSecret = (message: string): Asked<Redacted.Redacted> =>
  Effect.gen(function*() {
    for (;;) {
      const secret = yield* askSecretOrNone(message)
      if (secret !== undefined) return secret
      yield* Console.error("  nothing was entered")
    }
  })

export const askYesOrNo = (message: string, initial: boolean): Asked<boolean> =>
  Prompt.run(Prompt.confirm({ message, initial }))

interface Choice<A> {
  readonly title: string
  readonly value: A
}

export const askOne = <A>(message: string, choices: ReadonlyArray<Choice<A>>): Asked<A> =>
  Prompt.run(Prompt.select({ message, choices }))

/** At least one of several. At first all are chosen. */
export const askSome = <A>(message: string, choices: ReadonlyArray<Choice<A>>): Asked<ReadonlyArray<A>> =>
  Prompt.run(
    Prompt.multiSelect({ message, choices: choices.map((each) => ({ ...each, selected: true })), min: 1 })
  )
