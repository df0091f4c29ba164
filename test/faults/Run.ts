import type * as FileSystem from "@effect/platform/FileSystem"
import * as HttpClient from "@effect/platform/HttpClient"
import type { Scope } from "effect"
import {
  Clock,
  ConfigProvider,
  Context,
  Effect,
  ExecutionStrategy,
  Exit,
  Layer,
  Logger,
  Option,
  Predicate,
  Scope as Scopes
} from "effect"
import type { Findings } from "../../demo/Judge.js"
import { BodyRoom } from "../../src/base/BodyRoom.js"
import { connections } from "../../src/base/Connections.js"
import { projectsLayer } from "../../src/config/ProjectsConfig.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { Gitea, giteaOf } from "../../src/gitea/GiteaClient.js"
import { Stirs } from "../../src/gitea/Stirs.js"
import { Health } from "../../src/health/Health.js"
import { Leadership } from "../../src/outbox/Leadership.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { DeadNotices } from "../../src/people/DeadNotices.js"
import { People } from "../../src/people/People.js"
import { RateBudgets } from "../../src/plane/RateBudgets.js"
import { tokenDestinations } from "../../src/plane/TokenDestinations.js"
import { PlaneProjects } from "../../src/sending/PlaneProjects.js"
import { PlaneSync } from "../../src/sending/PlaneSync.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { Integrity } from "../../src/storage/Integrity.js"
import type { Storage as StorageService } from "../../src/storage/Storage.js"
import type { StorageError } from "../../src/storage/StorageError.js"
import { WakeUps } from "../../src/storage/WakeUps.js"
import { Storage } from "../../src/StorageLayers.js"
import { Tasks } from "../../src/tasks/Tasks.js"
import { Inbox } from "../../src/webhooks/Inbox.js"
import { Receiver } from "../../src/webhooks/Receiver.js"
import { SkippedHooks } from "../../src/webhooks/SkippedHooks.js"
import * as MovableClock from "../support/MovableClock.js"
import { noticeReceiver } from "../support/NoticeReceiver.js"
import { planeHooks } from "../support/PlaneHooks.js"
import * as Disk from "./Disk.js"
import { makeOnNotices, noticeSettingsOf, people } from "./Notices.js"
import { makeOnPostgres } from "./OnPostgres.js"
import type { Row } from "./Row.js"
import { settings } from "./Row.js"
import type { Seen } from "./Scene.js"
import * as Scene from "./Scene.js"
import { makeOnWaits } from "./Waits.js"
import * as Wire from "./Wire.js"

/** The outcome of a row. Times are milliseconds. */
export interface Outcome {
  readonly row: Row
  readonly accepted: number
  readonly delivered: number
  readonly dead: number
  readonly findings: Findings
  readonly requests: number
  readonly publishP99: number
  /** The time from the end of the fault until Plane had everything. Undefined if the fault has no end. */
  readonly recovery: number | undefined
  readonly took: number
  readonly notes: ReadonlyArray<string>
  /** Why it fails. Empty if it passes. */
  readonly problems: ReadonlyArray<string>
}

/** Counts the refused connections of this client. */
const counting = () => {
  const counts = { refused: 0 }
  const codeOf = (value: unknown): unknown => Predicate.hasProperty(value, "code") ? value.code : undefined
  const layer = Layer.effect(
    HttpClient.HttpClient,
    Effect.map(
      HttpClient.HttpClient,
      HttpClient.tapError((error) =>
        Effect.sync(() => {
          if (codeOf(error.cause) === "ECONNREFUSED") counts.refused += 1
        })
      )
    )
  ).pipe(Layer.provide(connections), Layer.orDie)
  return { counts, layer }
}

/** Hooks without a sender, and no Gitea: there is nothing to report of them. */
const health = Health.layer.pipe(
  Layer.provide(Layer.succeed(Gitea, giteaOf(new Map()))),
  Layer.provide(Layer.provide(Receiver.layer, [Inbox.layer, SkippedHooks.layer, BodyRoom.layer, Stirs.layer])),
  Layer.provide([DeadNotices.layer, Integrity.layer])
)

/** The pipeline as `PlaneSync.layer` builds it, but with our storage and our way to Plane; `over` it what else a row has. */
const pipeline = (
  storage: Layer.Layer<StorageService, StorageError>,
  http: Layer.Layer<HttpClient.HttpClient>,
  over: ReturnType<typeof planeHooks>["layer"] | typeof people | undefined
) =>
  Layer.provideMerge(health, Layer.mergeAll(PlaneSync.layerPipeline, over ?? Layer.empty)).pipe(
    Layer.provideMerge(StageEvents.layer),
    Layer.provideMerge(PlaneProjects.layer),
    Layer.provide(Layer.provide(Leadership.layer, tokenDestinations)),
    Layer.provideMerge(Layer.mergeAll(Outbox.layer, WakeUps.layer, projectsLayer, RateBudgets.layer)),
    Layer.provideMerge(storage),
    Layer.provide(http)
  )

/** The value that 99 of 100 values do not exceed. */
const p99 = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 0
}

// A request goes on in Plane when its client has left. A request that is never answered has ended otherwise.
const goesOn = ({ answeredAt, fault }: Seen["requests"][number]) =>
  answeredAt === null && (fault === null || fault === "ApplyLate" || fault === "ByteByByte")

const recoveryOf = ({ overAt, requests }: Seen): number | undefined => {
  const from = overAt ?? requests.findLast(({ fault }) => fault !== null)?.at
  const applied = requests.filter(({ applied }) => applied).map(({ answeredAt, at }) => answeredAt ?? at)
  return from === undefined ? undefined : Math.max(0, Math.max(0, ...applied) - from)
}

const problemsOf = (row: Row, findings: Findings, seen: Seen, dead: number): ReadonlyArray<string> => [
  ...findings.lost.map((line) => `lost: ${line}`),
  ...findings.doubled.map((line) => `doubled: ${line}`),
  ...findings.outOfOrder.map((line) => `out of order: ${line}`),
  ...findings.wrongState.map((line) => `wrong state: ${line}`),
  ...findings.unexpected.map((line) => `never accepted: ${line}`),
  ...findings.links.map((line) => `link: ${line}`),
  ...(dead === (row.dead ?? 0) ? [] : [`${dead} events are dead letters, expected ${row.dead ?? 0}`]),
  ...(seen.accepted > 0 ? [] : ["this row proves nothing: no event was accepted"]),
  ...(row.met(seen) > 0 ? [] : ["this row proves nothing: no request met its fault"]),
  ...seen.problems
]

/** Runs a row in `directory`, with a Plane, a pipeline and a file of its own. Its log lines go to `log`. */
export const runRow = (
  row: Row,
  directory: string,
  log: Array<string>
): Effect.Effect<Outcome, unknown, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function*() {
    const begin = yield* Clock.currentTimeMillis
    const hooks = row.webhooks === true ? planeHooks() : undefined
    const plane = Context.get(
      yield* Layer.build(PlaneSimulator.layer({
        rateLimit: "off",
        ...(hooks === undefined ? {} : { webhook: hooks.webhook }),
        ...row.plane
      })),
      PlaneSimulator
    )
    const receiver = row.notices === undefined ? undefined : yield* noticeReceiver(...row.notices)
    const wire = yield* Wire.make(plane.url)
    const clock = MovableClock.make(Clock.make(), row.speed)
    const { counts, layer: http } = counting()
    const mounted = row.smallDisk === true && (yield* Disk.mountSmall(directory))
    const config = ConfigProvider.fromMap(
      new Map(Object.entries({
        ORCH_PLANE_API_URL: wire.url,
        ORCH_PLANE_API_TOKEN: plane.token,
        ...settings,
        ...(receiver === undefined ? {} : noticeSettingsOf(receiver)),
        ...row.settings
      }))
    )
    const outer = yield* Effect.acquireRelease(Scopes.make(), (scope) => Scopes.close(scope, Exit.void))
    const database = `${directory}/plane-sync.sqlite`
    if (row.prepare !== undefined) yield* row.prepare(database)
    const postgres = row.postgres === true ? yield* makeOnPostgres : undefined
    const storage = postgres === undefined ? Storage.layerFile(database) : Storage.layerPostgres(postgres.address)
    const over = receiver === undefined && row.waits !== true ? hooks?.layer : people
    const start = Effect.gen(function*() {
      const scope = yield* Scopes.fork(outer, ExecutionStrategy.sequential)
      const context = yield* Layer.buildWithScope(pipeline(storage, http, over), scope)
      return { scope, context }
    }).pipe(Effect.withConfigProvider(config), Effect.withClock(clock.clock))
    let running = yield* start
    const { context } = running
    const status = Effect.suspend(() => Context.get(running.context, Outbox).status)
    const notices = Option.map(
      Option.all([
        Option.fromNullable(receiver),
        Context.getOption(context, Tasks),
        Context.getOption(context, People)
      ]),
      ([receiver, tasks, asking]) => makeOnNotices(tasks, asking, receiver)
    )
    const scene = yield* Scene.make({
      plane,
      wire,
      clock,
      database,
      events: () => Context.get(running.context, StageEvents),
      postgres,
      notices: Option.getOrUndefined(notices),
      waits: row.waits !== true ? undefined : makeOnWaits(plane, () => ({
        tasks: Context.unsafeGet(running.context, Tasks),
        asking: Context.unsafeGet(running.context, People)
      })),
      restart: Effect.gen(function*() {
        yield* Scopes.close(running.scope, Exit.void)
        running = yield* start
      }).pipe(Effect.orDie),
      health: Effect.suspend(() => Context.get(running.context, Health).report).pipe(Effect.withClock(clock.clock)),
      disk: mounted ? yield* Disk.byBallast(directory) : Disk.byPages(Context.get(context, Storage).sql),
      refused: () => counts.refused,
      log,
      living: row.settings?.["ORCH_PLANE_COMMENTS"] === "living"
    })
    if (row.smallDisk === true) {
      yield* scene.note(mounted ? "tmpfs of 8 MiB" : "PRAGMA max_page_count: no right to mount")
    }

    // Nothing is owed any more, and nothing that was sent is still executing. Anything that comes after that is too
    // much.
    const settled = Effect.gen(function*() {
      for (;;) {
        const { pending } = yield* status
        if (pending === 0 && !(yield* plane.requests).some(goesOn)) return
        yield* Effect.sleep("50 millis")
      }
    })
    const limit = row.deadlineSeconds ?? 30
    const ended = yield* scene.seen.pipe(
      Effect.zipRight(row.script(scene)),
      Effect.zipRight(scene.told()),
      Effect.zipRight(settled),
      Effect.zipRight(Effect.sleep("500 millis")),
      Effect.timeoutOption(`${limit} seconds`)
    )
    const dead = (yield* status).dead
    yield* Scopes.close(outer, Exit.void)

    const findings = yield* scene.findings
    const seen = yield* scene.seen
    return {
      row,
      accepted: seen.accepted,
      delivered: scene.expected() - findings.lost.length,
      dead,
      findings,
      requests: seen.requests.length,
      publishP99: p99(seen.publishing),
      recovery: recoveryOf(seen),
      took: (yield* Clock.currentTimeMillis) - begin,
      notes: seen.notes,
      problems: [
        ...problemsOf(row, findings, seen, dead),
        ...(ended._tag === "Some" ? [] : [`not all was done within ${limit} s`])
      ]
    }
  }).pipe(Effect.provide(Logger.replace(
    Logger.defaultLogger,
    Logger.map(Logger.logfmtLogger, (line) => {
      log.push(line)
    })
  )))
