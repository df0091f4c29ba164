import type { ConfigError } from "effect"
import { Duration, Effect, Layer } from "effect"
import { counted } from "../base/Text.js"
import { Projects } from "../domain/Projects.js"
import { metrics } from "../metrics/Metrics.js"
import { Leadership } from "../outbox/Leadership.js"
import { Outbox } from "../outbox/Outbox.js"
import type { PlaneProject } from "../sending/PlaneProjects.js"
import { PlaneProjects } from "../sending/PlaneProjects.js"
import { Storage } from "../storage/Storage.js"
import { TaskStore } from "../tasks/TaskStore.js"
import { Inbox } from "../webhooks/Inbox.js"
import { heardSources } from "../webhooks/Secrets.js"
import { WebhookConfig } from "../webhooks/WebhookConfig.js"
import { makeComments } from "./Comments.js"
import { lowestSlot } from "./LowestSlot.js"
import type { RoundOutcome } from "./Round.js"
import { makeRound } from "./Round.js"
import { Silence } from "./Silence.js"

/** How often what was changed is read while hooks cannot be relied on, or something is left. */
const often = Duration.minutes(5)

/** How often it is read otherwise, because a single hook may be lost at any time. */
const seldom = Duration.minutes(60)

const said = ({ found, left }: RoundOutcome, project: string) =>
  found.length === 0
    ? Effect.logDebug(`Nothing of ${project} was changed in Plane that no webhook has told`)
    : Effect.logInfo(
      `${counted(found.length, "move", "moves")} in Plane that no webhook has told: ` +
        found.map(({ key, stateName }) => `${key} to ${stateName}`).join(", ") +
        (left === 0 ? "" : `; ${left} more are looked at in the next round`)
    )

/**
 * Reads in Plane what no hook has told, moves and commands: at the start, once Plane is open, and then every
 * hour, or every 5 minutes while hooks do not come.
 */
const work = Layer.scopedDiscard(
  Effect.gen(function*() {
    const { all } = yield* PlaneProjects
    const storage = yield* Storage
    const tasks = yield* TaskStore
    const outbox = yield* Outbox
    const inbox = yield* Inbox
    const { changes, isDeaf } = yield* Silence
    const areHooksSigned = heardSources(yield* WebhookConfig, yield* Projects).includes("plane")
    const { whileSending } = yield* Leadership
    const { trouble } = storage

    const follow = (project: PlaneProject) => {
      const { config: { workspaceSlug }, destination, project: { commands, identifier } } = project
      const withSlot = lowestSlot(project, outbox, trouble)
      const parts = { project, storage, tasks, withSlot, store: inbox.store }
      // Where nobody may command, or no signature can be right, no comment is one whose hook was lost.
      const comments = areHooksSigned && commands.length > 0 ? makeComments(parts) : undefined
      const round = makeRound({ ...parts, listed: comments?.note })
      const turn = Effect.gen(function*() {
        yield* destination.opened
        const mark = yield* changes.mark
        // Before the list is read: what it shows now may be too young.
        if (comments !== undefined) yield* trouble.retry(comments.readSome)
        const left = yield* Effect.matchEffect(trouble.retry(round), {
          onSuccess: (outcome) => {
            metrics.recovered.add({ project: identifier, what: "move" }, outcome.found.length)
            return Effect.as(said(outcome, identifier), outcome.left > 0)
          },
          onFailure: (error) =>
            Effect.as(Effect.logDebug(`What was changed in ${identifier} was not read: ${error.message}`), true)
        })
        const areLeft = comments !== undefined && (yield* trouble.retry(comments.areLeft))
        yield* left || areLeft || (yield* isDeaf(workspaceSlug))
          ? Effect.sleep(often)
          : Effect.raceFirst(Effect.sleep(seldom), changes.since(mark))
      })
      return Effect.forkScoped(Effect.forever(turn))
    }

    yield* whileSending((_, leads) =>
      Effect.forEach(all.filter(({ project }) => leads(project.identifier)), follow, { discard: true })
    )
  }).pipe(Effect.annotateLogs({ service: "Repair" }))
)

/**
 * Reading what no hook told, and noticing that none comes. It goes over the same services as `webhooksLayer`, because
 * what it reads goes the way of a hook. It works while this process is the leader.
 */
export const repairLayer: Layer.Layer<
  Silence,
  ConfigError.ConfigError,
  Leadership | Outbox | PlaneProjects | Projects | Storage | TaskStore
> = Layer.provideMerge(work, Silence.layer).pipe(Layer.provide(Inbox.layer))
