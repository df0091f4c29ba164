import type { ConfigError, Scope } from "effect"
import { Context, Data, DateTime, Duration, Effect, Equal, Layer, Option, Schedule } from "effect"
import { makeSignal } from "../base/Signal.js"
import type { EpochMillis } from "../base/Time.js"
import { earlier, epochMillis, MonotonicMillis, monotonicMillis, utc } from "../base/Time.js"
import { Projects } from "../domain/Projects.js"
import { Leadership } from "../outbox/Leadership.js"
import { readStateChanges } from "../outbox/StateChanges.js"
import { echoesSince, isAtLeast } from "../plane/Instance.js"
import type { PlaneProject } from "../sending/PlaneProjects.js"
import { PlaneProjects } from "../sending/PlaneProjects.js"
import { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import type { HookNews } from "../webhooks/HookNews.js"
import { newsBatch, readHookNews } from "../webhooks/HookNews.js"
import { heardSources } from "../webhooks/Secrets.js"
import { WebhookConfig } from "../webhooks/WebhookConfig.js"
import type { Hearing } from "./Hearing.js"
import { heard, judged, keepHearing, mostMisses, readHearing, unheard } from "./Hearing.js"

/** A workspace whose webhook is off, or does not reach us. */
export interface Silent {
  readonly workspace: string
  readonly since: DateTime.Utc
  /** The page in Plane where it is switched on. */
  readonly page: string
}

/**
 * Whether Plane's hooks come, without asking Plane: it echoes each state that we set, so if no hook comes after three of
 * them, the webhook is off. It is heard again with the next hook.
 */
export class Silence extends Context.Tag("plane-sync/Silence")<Silence, {
  readonly silent: Effect.Effect<ReadonlyArray<Silent>>
  /** Whether the hooks of a workspace cannot be relied on: none come, or none are taken, because no secret is set. */
  readonly isDeaf: (workspace: string) => Effect.Effect<boolean>
  /** Tells that one of these may have changed. */
  readonly changes: {
    readonly mark: Effect.Effect<number>
    readonly since: (mark: number) => Effect.Effect<void>
  }
}>() {
  static readonly layer: Layer.Layer<
    Silence,
    ConfigError.ConfigError,
    Leadership | PlaneProjects | Projects | Storage
  > = Layer.scoped(Silence, Effect.suspend(() => make))
}

/** Why the program is degraded then, in words for people. */
export const silentWords = ({ page, since, workspace }: Silent): string =>
  `No webhook of Plane's workspace ${workspace} came after three states that were set (noticed at ` +
  `${DateTime.formatIso(since)}): it is switched off, or does not reach plane-sync. Switch it on ` +
  `at ${page}. Until one comes, what was changed in Plane is read every 5 minutes`

const lookEvery = Duration.seconds(30)

/** How long states that were set may wait for a hook to be looked at as its cause. */
const lookBack = Duration.hours(1)

/** How often Plane is asked for its version, which tells whether it echoes at all. */
const askEvery = Duration.toMillis("1 hour")

const isSame = (one: Hearing, other: Hearing) => Equal.equals(Data.struct(one), Data.struct(other))

const make = Effect.gen(function*() {
  const { all } = yield* PlaneProjects
  const { read, sql, trouble, write } = yield* Storage
  const { isElsewhere, whileSending } = yield* Leadership
  const isSet = heardSources(yield* WebhookConfig, yield* Projects).includes("plane")
  const workspaces = [...new Set(all.map(({ config }) => config.workspaceSlug))]
  const signal = yield* makeSignal
  const silent = new Map<string, Silent>()

  const ofWorkspace = (workspace: string) => all.filter(({ config }) => config.workspaceSlug === workspace)

  /** Whether a hook is of a workspace. Where there is only one, the hooks of its other projects are, too. */
  const isOf = (projects: ReadonlyArray<PlaneProject>) => ({ isPlanes, project }: HookNews) =>
    isPlanes === 1 && (workspaces.length === 1 || projects.some(({ place }) => place.current()?.id === project))

  const watch = (workspace: string): Effect.Effect<void, never, Scope.Scope> =>
    Effect.gen(function*() {
      const projects = ofWorkspace(workspace)
      const [first] = projects
      if (first === undefined) return
      const { client, config } = first
      const page = `${config.url}/${workspace}/settings/webhooks/`
      const startedAt = yield* epochMillis
      let deafUntil = startedAt
      let askedAt = MonotonicMillis(-Infinity)
      let isNew = false

      /** Whether this Plane echoes: it has, or it says that it is of such a version. */
      const echoes = (hearing: Hearing) =>
        Effect.gen(function*() {
          if (hearing.echoes || isNew) return true
          const now = yield* monotonicMillis
          if (now - askedAt < askEvery) return false
          askedAt = now
          isNew = Option.exists(yield* client.version, (version) => isAtLeast(version, echoesSince))
          return isNew
        })

      const isClosed = Effect.map(
        // Of the others, who sends to them knows.
        Effect.forEach(
          projects.filter(({ project }) => !isElsewhere(project.identifier)),
          ({ destination }) => destination.status
        ),
        (found) => found.some(({ open }) => !open)
      )

      /** What is known after another batch of hooks, and whether there are more. */
      const hearBatch = (before: Hearing, now: EpochMillis): Effect.Effect<[Hearing, boolean], StorageError> =>
        Effect.gen(function*() {
          const news = yield* read(readHookNews(sql, before.hook))
          const changes = yield* read(readStateChanges(sql, earlier(now, lookBack)))
          const after = heard(before, news.filter(isOf(projects)), changes)
          return [{ ...after, hook: news.at(-1)?.id ?? before.hook }, news.length === newsBatch]
        })

      const note = (before: Hearing, after: Hearing) =>
        Effect.gen(function*() {
          const wasSilent = silent.has(workspace)
          if (after.silentSince === undefined) {
            silent.delete(workspace)
            if (wasSilent) yield* Effect.logInfo(`Webhooks of Plane's workspace ${workspace} come again`)
          } else {
            const now = { workspace, page, since: utc(after.silentSince) }
            silent.set(workspace, now)
            if (before.silentSince === undefined) yield* Effect.logWarning(silentWords(now))
          }
          if (wasSilent !== silent.has(workspace)) yield* signal.notify
        })

      const look = Effect.gen(function*() {
        const now = yield* epochMillis
        if (yield* isClosed) deafUntil = now
        const known = yield* read(readHearing(sql, workspace))
        const before = known ?? unheard(now)
        let [after, hasMore] = yield* hearBatch(before, now)
        while (hasMore) [after, hasMore] = yield* hearBatch(after, now)
        const changes = (yield* read(readStateChanges(sql, earlier(now, lookBack)))).filter(({ project }) =>
          projects.some((each) => each.project.identifier === project)
        )
        after = judged(after, changes, now, deafUntil)
        if (after.silentSince === undefined && after.misses >= mostMisses && (yield* echoes(after))) {
          after = { ...after, silentSince: now }
        }
        if (known === undefined || !isSame(known, after)) yield* write(keepHearing(sql, workspace, after))
        yield* note(before, after)
      })

      // Whoever watches next says it.
      yield* Effect.addFinalizer(() => Effect.zipRight(Effect.sync(() => silent.delete(workspace)), signal.notify))
      yield* trouble.retry(look).pipe(
        Effect.repeat({ schedule: Schedule.spaced(lookEvery) }),
        Effect.forkScoped
      )
    })

  /** The workspaces whose first project is led. */
  const led = (leads: (identifier: string) => boolean) =>
    workspaces.filter((workspace) =>
      ofWorkspace(workspace).slice(0, 1).some((first) => leads(first.project.identifier))
    )

  if (isSet) yield* whileSending((_, leads) => Effect.forEach(led(leads), watch, { discard: true }))

  return Silence.of({
    silent: Effect.sync(() => [...silent.values()]),
    isDeaf: (workspace) =>
      isSet
        ? Effect.map(trouble.retry<Hearing | undefined, never>(read(readHearing(sql, workspace))), (known) =>
          known?.silentSince !== undefined)
        : Effect.succeed(true),
    changes: signal
  })
}).pipe(Effect.annotateLogs({ service: "Repair" }))
