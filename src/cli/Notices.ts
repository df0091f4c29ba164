import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import { Console, Effect, Either, Layer, Option, Schema } from "effect"
import { DeadNotices } from "../people/DeadNotices.js"
import type { DeadNotice } from "../people/DeadNotices.js"
import { noticeSettings } from "../people/NoticeConfig.js"
import { WakeUps } from "../storage/WakeUps.js"
import { DeadNoticeView, deadNoticeView } from "../views/DeadNoticeView.js"
import { databasePath, existingDatabase } from "./Database.js"
import { lineOf } from "./Help.js"
import { leaderNotice } from "./LeaderNotice.js"
import { jsonLike, limit } from "./ListOptions.js"
import { moment, shown, table } from "./Table.js"
import { wrongUse } from "./WrongUse.js"

const id = Args.integer({ name: "id" }).pipe(
  Args.withDescription("The id of a notice, as `plane-sync notices list` shows it"),
  Args.mapEffect((given) =>
    given >= 1 ? Either.right(given) : Either.left(HelpDoc.p(`${given} is not an id: expected one of "notices list"`))
  ),
  Args.optional
)

const all = Options.boolean("all").pipe(Options.withDescription("All of them"))

const json = jsonLike("GET /api/notices")

const toJson = Schema.encodeSync(Schema.parseJson(DeadNoticeView))

const none = () => "?"

const columns = ({ attempts, deadSince, document, id, kind, reason }: DeadNotice): ReadonlyArray<string> => [
  String(id),
  moment(deadSince),
  shown(Option.match(document, { onNone: none, onSome: ({ workItem }) => workItem })),
  kind,
  Option.match(document, { onNone: none, onSome: ({ reason }) => reason }),
  String(attempts),
  shown(reason)
]

const list = Command.make("list", { limit, json }, (options) =>
  Effect.gen(function*() {
    const notices = yield* DeadNotices
    const found = yield* notices.list({ limit: options.limit })
    const view = deadNoticeView(notices.host)
    if (options.json) return yield* Effect.forEach(found, (notice) => Console.log(toJson(view(notice))))
    if (found.length === 0) return yield* Console.error(`No notice was given up in ${yield* databasePath}`)
    yield* Console.log(
      table([["id", "dead since", "work item", "kind", "about", "attempts", "reason"], ...found.map(columns)])
    )
  }).pipe(Effect.asVoid)).pipe(Command.withDescription(lineOf("notices list")))

interface Given {
  readonly id: Option.Option<number>
  readonly all: boolean
}

/** Changes one or all, and prints how many there were. */
const change = <E, F>(options: {
  readonly name: "retry" | "discard"
  readonly done: string
  readonly one: (id: number) => Effect.Effect<void, E, DeadNotices>
  readonly each: Effect.Effect<number, F, DeadNotices>
}) =>
({ all, id }: Given) =>
  Effect.gen(function*() {
    if (Option.isSome(id) === all) {
      return yield* wrongUse(`notices ${options.name} takes either an id or --all, and one of them`)
    }
    const count = Option.isSome(id) ? yield* Effect.as(options.one(id.value), 1) : yield* options.each
    yield* Console.log(`${options.done} ${count}`)
    return count
  })

const retrying = change({
  name: "retry",
  done: "retried",
  one: (id) => Effect.flatMap(DeadNotices, (notices) => notices.retry(id)),
  each: Effect.flatMap(DeadNotices, ({ retryAll }) => retryAll)
})

const discarding = change({
  name: "discard",
  done: "discarded",
  one: (id) => Effect.flatMap(DeadNotices, (notices) => notices.discard(id)),
  each: Effect.flatMap(DeadNotices, ({ discardAll }) => discardAll)
})

const unset =
  `${noticeSettings.url.definition.name} is not set here: what was retried waits where it is not set either.`

const retry = Command.make("retry", { id, all }, (given) =>
  Effect.gen(function*() {
    if ((yield* retrying(given)) === 0) return
    const { host } = yield* DeadNotices
    yield* Option.isNone(host) ? Console.error(unset) : leaderNotice("what was retried")
  })).pipe(Command.withDescription(lineOf("notices retry")))

const discard = Command.make("discard", { id, all }, (given) => Effect.asVoid(discarding(given))).pipe(
  Command.withDescription(lineOf("notices discard"))
)

const kept = Layer.provideMerge(
  Layer.provide(DeadNotices.layer, WakeUps.layer),
  existingDatabase
)

/** `plane-sync notices …`: the notices that were given up. */
export const notices = Command.make("notices").pipe(
  Command.withSubcommands([list, retry, discard]),
  Command.provide(kept),
  Command.withDescription(lineOf("notices"))
)
