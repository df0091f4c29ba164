import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import type { DateTime } from "effect"
import { Console, Effect, Either, Option, Schema } from "effect"
import { stored } from "../base/Time.js"
import { DeadCode } from "../outbox/DeadCode.js"
import { deadLetter, discardAll, discardOne, retryAll, retryOne } from "../outbox/DeadLetterActions.js"
import type { DeadLetter, DeadLetterFilter } from "../outbox/DeadLetters.js"
import { Outbox } from "../outbox/Outbox.js"
import { DeadLetterView, deadLetterView } from "../views/DeadLetterView.js"
import { databasePath, existingDatabase } from "./Database.js"
import { lineOf } from "./Help.js"
import { leaderNotice } from "./LeaderNotice.js"
import { instantOption, invalidOption, jsonLike, limit } from "./ListOptions.js"
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

const project = Options.text("project").pipe(
  Options.withDescription("Only dead letters of the project with this identifier, like ET"),
  Options.optional
)

const matching = {
  code,
  project,
  since: instantOption("since", "Only those that became dead letters since"),
  until: instantOption("until", "Only those that had become dead letters until then")
}

interface Matching {
  readonly code: Option.Option<DeadCode>
  readonly project: Option.Option<string>
  readonly since: Option.Option<DateTime.Utc>
  readonly until: Option.Option<DateTime.Utc>
}

const filterOf = ({ code, project, since, until }: Matching): DeadLetterFilter => ({
  code: Option.getOrUndefined(code),
  project: Option.getOrUndefined(project),
  since: Option.getOrUndefined(Option.map(since, stored)),
  until: Option.getOrUndefined(Option.map(until, stored))
})

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

const list = Command.make("list", { ...matching, limit, json }, (options) =>
  Effect.gen(function*() {
    const outbox = yield* Outbox
    const found = yield* outbox.deadLetters({ ...filterOf(options), limit: options.limit })
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

interface Given extends Matching {
  readonly id: Option.Option<number>
}

/** Changes one dead letter or all that match, and prints how many there were. */
const change = <E, F, R>(options: {
  readonly name: "retry" | "discard"
  readonly done: string
  readonly one: (id: number) => Effect.Effect<number, E, R>
  readonly all: (filter: DeadLetterFilter) => Effect.Effect<number, F, R>
}) =>
({ id, ...given }: Given) =>
  Effect.gen(function*() {
    if (Option.isSome(id) === Object.values(filterOf(given)).some((one) => one !== undefined)) {
      return yield* wrongUse(
        `dead ${options.name} takes either an id, or at least one of --code, --project, --since and --until`
      )
    }
    const count = Option.isSome(id) ? yield* options.one(id.value) : yield* options.all(filterOf(given))
    yield* Console.log(`${options.done} ${count}`)
    return count
  })

const which = { id: Args.optional(id), ...matching }

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
