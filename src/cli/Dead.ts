import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import { Console, Effect, Either, Option, Schema } from "effect"
import { DeadCode } from "../outbox/DeadCode.js"
import { deadLetter, discardAll, discardOne, retryAll, retryOne } from "../outbox/DeadLetterActions.js"
import type { DeadLetter } from "../outbox/DeadLetters.js"
import { Outbox } from "../outbox/Outbox.js"
import { DeadLetterView, deadLetterView } from "../views/DeadLetterView.js"
import { databasePath, existingDatabase } from "./Database.js"
import { lineOf } from "./Help.js"
import { leaderNotice } from "./LeaderNotice.js"
import { invalidOption, jsonLike, limit } from "./ListOptions.js"
import { moment, shown, shownWhole, table } from "./Table.js"
import { wrongUse } from "./WrongUse.js"

const id = Args.integer({ name: "id" }).pipe(
  Args.withDescription("The id of a dead letter, as `plane-sync dead list` shows it"),
  Args.mapEffect((given) =>
    given >= 1 ? Either.right(given) : Either.left(HelpDoc.p(`${given} is not an id: expected one of "dead list"`))
  )
)

// Not a choice of @effect/cli, because every usage line would list all codes.
const code = Options.text("code").pipe(
  Options.withPseudoName("code"),
  Options.withDescription(`Only dead letters of this code: ${DeadCode.literals.join(", ")}`),
  Options.mapEffect((text) =>
    Either.mapLeft(Schema.decodeUnknownEither(DeadCode)(text), ({ message }) => invalidOption(`--code: ${message}`))
  ),
  Options.optional
)

const json = jsonLike("GET /api/deliveries")

const toJson = Schema.encodeSync(Schema.parseJson(DeadLetterView))

const columns = (letter: DeadLetter): ReadonlyArray<string> => [
  String(letter.id),
  moment(letter.settledAt),
  shown(letter.workItem),
  letter.kind,
  letter.code,
  String(letter.attempts),
  shown(letter.reason)
]

const list = Command.make("list", { code, limit, json }, (options) =>
  Effect.gen(function*() {
    const outbox = yield* Outbox
    const found = yield* outbox.deadLetters({ code: Option.getOrUndefined(options.code), limit: options.limit })
    if (options.json) return yield* Effect.forEach(found, (letter) => Console.log(toJson(deadLetterView(letter))))
    if (found.length === 0) return yield* Console.error(`No such dead letters in ${yield* databasePath}`)
    yield* Console.log(
      table([["id", "dead since", "work item", "kind", "code", "attempts", "reason"], ...found.map(columns)])
    )
  }).pipe(Effect.asVoid)).pipe(Command.withDescription(lineOf("dead list")))

const show = Command.make("show", { id }, ({ id }) =>
  Effect.gen(function*() {
    const letter = yield* deadLetter(id)
    yield* Console.log(table([
      ["id", String(letter.id)],
      ["kind", letter.kind],
      ["code", letter.code],
      ["reason", shownWhole(letter.reason)],
      ["attempts", String(letter.attempts)],
      ["answer", letter.answer === null ? "none" : String(letter.answer)],
      ["work item", shown(letter.workItem)],
      [
        "events",
        letter.firstEvent === letter.lastEvent
          ? String(letter.firstEvent)
          : `${letter.firstEvent} to ${letter.lastEvent}`
      ],
      ["occurred", moment(letter.occurredAt)],
      ["dead since", moment(letter.settledAt)],
      ["external id", letter.externalId ?? "none"],
      ["body", letter.body === "" ? "never composed" : shownWhole(letter.body)]
    ]))
  })).pipe(Command.withDescription(lineOf("dead show")))

interface Given {
  readonly id: Option.Option<number>
  readonly code: Option.Option<DeadCode>
}

/** Changes one dead letter or all of a code, and prints how many there were. */
const change = <E, F, R>(options: {
  readonly name: "retry" | "discard"
  readonly done: string
  readonly one: (id: number) => Effect.Effect<number, E, R>
  readonly all: (code: DeadCode) => Effect.Effect<number, F, R>
}) =>
({ code, id }: Given) =>
  Effect.gen(function*() {
    if (Option.isSome(id) === Option.isSome(code)) {
      return yield* wrongUse(`dead ${options.name} takes either an id or --code, and one of them`)
    }
    const count = Option.isSome(id)
      ? yield* options.one(id.value)
      : yield* Option.match(code, { onNone: () => Effect.succeed(0), onSome: options.all })
    yield* Console.log(`${options.done} ${count}`)
    return count
  })

const which = { id: Args.optional(id), code }

const retry = Command.make("retry", which, (given) =>
  Effect.flatMap(
    change({ name: "retry", done: "retried", one: retryOne, all: retryAll })(given),
    (count) => count === 0 ? Effect.void : leaderNotice("what was retried")
  )).pipe(Command.withDescription(lineOf("dead retry")))

const discard = Command.make(
  "discard",
  which,
  (given) => Effect.asVoid(change({ name: "discard", done: "discarded", one: discardOne, all: discardAll })(given))
).pipe(Command.withDescription(lineOf("dead discard")))

/** `plane-sync dead …`: the dead letters. */
export const dead = Command.make("dead").pipe(
  Command.withSubcommands([list, show, retry, discard]),
  Command.provide(existingDatabase),
  Command.withDescription(lineOf("dead"))
)
