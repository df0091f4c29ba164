import type { ConfigError } from "effect"
import { Context, Duration, Effect, Layer, Option, Schema } from "effect"
import { earlier, epochMillis, utc } from "../base/Time.js"
import { Projects } from "../domain/Projects.js"
import { itemNames, newEventsOf } from "../outbox/ItemNames.js"
import { openWaitsOf, waitingTasks } from "../people/Waits.js"
import { PlaneConfig } from "../plane/PlaneConfig.js"
import { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import type { CardRow, Placed } from "../tasks/BoardRows.js"
import { cardsOf, placedTasks } from "../tasks/BoardRows.js"
import type { ProjectPipeline } from "../tasks/Pipeline.js"
import { TaskStore } from "../tasks/TaskStore.js"
import type { Board as View, BoardCard } from "./BoardView.js"
import { itemsOf } from "./Items.js"

/** No project has this identifier. */
export class UnknownProject extends Schema.TaggedError<UnknownProject>()("UnknownProject", {
  project: Schema.String,
  known: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `No project ${JSON.stringify(this.project)} is set: expected ${this.known.join(" or ")}`
  }
}

/** What is asked of the board. */
export interface BoardRequest {
  /** The identifier of a project; the first one by default. */
  readonly project?: string | undefined
  /** What a key, a name or an agent must contain. */
  readonly find?: string | undefined
  /** One stage alone has cards. */
  readonly stage?: string | undefined
  /** How many cards of each stage are left out. */
  readonly cursor?: number | undefined
}

/** Tells where everything of a project is. */
export class Board extends Context.Tag("plane-sync/Board")<Board, {
  readonly read: (request: BoardRequest) => Effect.Effect<View, StorageError | UnknownProject>
}>() {
  static readonly layer: Layer.Layer<Board, ConfigError.ConfigError, Projects | Storage | TaskStore> = Layer.effect(
    Board,
    Effect.suspend(() => make)
  )
}

/** How many cards a stage has at most. */
export const cardsOfStage = 50

/** How long what has ended is shown. */
const shownFor = Duration.hours(24)

/** A card for each of these tasks, by its id. */
const cardOf = (
  pipeline: ProjectPipeline,
  row: CardRow,
  stage: string,
  { behind, named, waits }: {
    readonly named: Pick<BoardCard, "key" | "name" | "url">
    readonly behind: number
    readonly waits: BoardCard["waitsFor"]
  }
): BoardCard => ({
  ...named,
  agent: row.agent ?? null,
  status: row.status,
  why: row.why,
  since: utc(row.since),
  patienceSeconds: Option.match(Option.flatMapNullable(pipeline.byName(stage), ({ patience }) => patience), {
    onNone: () => null,
    onSome: Duration.toSeconds
  }),
  behind,
  failedGate: row.failedGate ?? null,
  waitsFor: waits
})

const make = Effect.gen(function*() {
  const projects = yield* Projects
  const config = yield* PlaneConfig
  const { read, sql } = yield* Storage
  const { pipelineOf } = yield* TaskStore
  const known = projects.all.map(({ identifier }) => identifier)

  /** The cards of these tasks. */
  const cards = (pipeline: ProjectPipeline, placed: ReadonlyArray<Placed>) =>
    Effect.gen(function*() {
      if (placed.length === 0) return new Map<number, BoardCard>()
      const ids = placed.map(({ id }) => id)
      const rows = yield* read(cardsOf(sql, pipeline, ids))
      const waits = yield* read(openWaitsOf(sql, ids))
      const names = rows.flatMap(({ itemId, key }) => itemId === null ? [key] : [key, itemId])
      const items = yield* read(itemNames(sql, names))
      const added = new Map((yield* read(newEventsOf(sql, names))).map(({ events, name }) => [name, events]))
      const byName = new Map<string, (typeof items)[number]>(items.map((item) => [item.name, item]))
      return new Map(rows.map((row) => {
        const { itemId, key, workItem } = row
        // The lane of the item id, if that is known, knows more than that of the key.
        const item = byName.get(itemId ?? key) ?? byName.get(key)
        const named = itemsOf(config, projects, item === undefined ? [] : [{ ...item, name: key }])(workItem)
        return [
          row.id,
          cardOf(pipeline, row, placed.find(({ id }) => id === row.id)?.stage ?? "", {
            named,
            behind: (item?.owed ?? 0) + (added.get(key) ?? 0) + (itemId === null ? 0 : added.get(itemId) ?? 0),
            waits: waits.filter(({ taskId }) => taskId === row.id).map(({ reached, reason }) => ({ reason, reached }))
          })
        ]
      }))
    })

  return Board.of({
    read: ({ cursor = 0, find = "", project = known[0] ?? "", stage }) =>
      Effect.gen(function*() {
        const pipeline = Option.getOrUndefined(pipelineOf(project))
        if (pipeline === undefined || !known.includes(project)) return yield* new UnknownProject({ project, known })
        const since = earlier(yield* epochMillis, shownFor)
        const all = yield* read(placedTasks(sql, {
          project,
          pipeline,
          find,
          since,
          first: waitingTasks(sql),
          after: cursor,
          limit: cardsOfStage
        }))
        const placed = all.filter((one) => one.place > cursor && (stage === undefined || one.stage === stage))
        const made = yield* cards(pipeline, placed)
        // A task can be at a stage that the settings do not name any more.
        const names = [...new Set([...pipeline.names.slice(0, -1), ...all.map(({ stage }) => stage)])]
        const last = pipeline.names.at(-1) ?? ""
        const [first] = all
        return {
          project,
          projects: known,
          underWay: first?.underWay ?? 0,
          doneToday: first?.done ?? 0,
          stages: [...names.filter((name) => name !== last), last].map((name) => {
            const count = all.find(({ stage }) => stage === name)?.ofStage ?? 0
            const own = placed.filter(({ stage }) => stage === name)
            const shown = own.flatMap(({ id }) => made.get(id) ?? [])
            const next = own.at(-1)?.place ?? 0
            return { stage: name, count, cards: shown, nextCursor: next > 0 && next < count ? next : null }
          })
        }
      })
  })
})
