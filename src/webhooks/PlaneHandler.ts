import type { ConfigError, Scope } from "effect"
import { Duration, Effect, Either, Option } from "effect"
import { cleanLine, textLimit } from "../base/Text.js"
import { EpochMillis, epochMillis, later, utc } from "../base/Time.js"
import { epochOf } from "../domain/PlaneMoment.js"
import { keyIn } from "../domain/Project.js"
import { Projects } from "../domain/Projects.js"
import type { StateId } from "../domain/StageStates.js"
import { StageEvents } from "../events/StageEvents.js"
import { observe } from "../outbox/Observation.js"
import { makeCommanding } from "../people/Commanding.js"
import { People } from "../people/People.js"
import type { PlaneProject } from "../sending/PlaneProjects.js"
import { PlaneProjects } from "../sending/PlaneProjects.js"
import { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import { WakeUps } from "../storage/WakeUps.js"
import { givenWords, markWords } from "../tasks/Marks.js"
import { moveWords, whyOf } from "../tasks/PersonMove.js"
import { TaskStore } from "../tasks/TaskStore.js"
import { makeCommentHooks, movesNothing } from "./CommentHooks.js"
import type { OwnUser } from "./FromPlane.js"
import { makeGroups, makeOwnUser } from "./FromPlane.js"
import type { GivenMarks } from "./GivenMarks.js"
import { givenMarks, markChange, notCounted } from "./GivenMarks.js"
import type { Handler } from "./HookWorker.js"
import type { HookOutcome, StoredHook } from "./Inbox.js"
import { duplicate, Inbox, noteMoved } from "./Inbox.js"
import type { WorkItemSeen } from "./PlaneHook.js"
import { decodePlaneHook } from "./PlaneHook.js"
import { makeIsSignedFor, secretsOf } from "./Secrets.js"
import { SkippedHooks } from "./SkippedHooks.js"
import { makeUnreadable } from "./UnreadableHook.js"
import { WebhookConfig } from "./WebhookConfig.js"

type SeenOfMove = "isNew" | "itemId" | "number" | "stateId" | "stateName" | "updatedAt" | "who"

/** The group of a state: see `makeGroups`. */
type GroupOf = (state: StateId) => Effect.Effect<string | undefined>

/** How long a hook that does not tell its state's group waits for Plane to tell it. */
const groupWait = Duration.seconds(5)

/** How long a hook waits that tells of a move which a state of ours may have undone: Plane is asked for it first. */
const checkWait = Duration.seconds(2)

/** The kind of comments that command nothing. */
const kindOfComment = "issue_comment created"

/** The kind of those that may not move their work item. */
const otherSecret = "signed with the secret of another project"

/**
 * Handles Plane's hooks. Each says which state a work item is in, and since when. What is not newer than what is known
 * is not a move, and neither is a state that this program has set itself: so the echo of our own request changes
 * nothing, however late it comes. Anything else is a person's move, and `meaningOf` says what it means for the task.
 */
export const planeHandler: Effect.Effect<
  Handler,
  ConfigError.ConfigError,
  Inbox | PlaneProjects | Projects | Scope.Scope | SkippedHooks | StageEvents | WakeUps | Storage | TaskStore
> = Effect.gen(function*() {
  const { all } = yield* PlaneProjects
  const config = yield* WebhookConfig
  const projects = yield* Projects
  const isSignedFor = makeIsSignedFor(config, projects)
  const inbox = yield* Inbox
  const { sql, write } = yield* Storage
  const wakeUps = yield* WakeUps
  const tasks = yield* TaskStore
  const commanding = makeCommanding({
    events: yield* StageEvents,
    people: yield* Effect.serviceOption(People),
    sql,
    tasks
  })
  const groups = new Map<string, GroupOf>()
  const ownUsers = new Map<string, Effect.Effect<OwnUser | undefined>>()
  const unreadable = yield* makeUnreadable
  const { note } = yield* SkippedHooks

  const skip = (kind: string, reason: string): Effect.Effect<HookOutcome> =>
    Effect.as(note({ source: "plane", kind, why: reason }), { _tag: "Skipped", reason })

  const act = (
    { place, project }: PlaneProject,
    { receivedAt }: StoredHook,
    seen: Pick<WorkItemSeen, SeenOfMove>,
    group: string
  ) =>
    tasks.moved(
      { workItem: keyIn(project, seen.number), itemId: seen.itemId },
      {
        ...named(seen),
        group,
        stateId: seen.stateId,
        isNew: seen.isNew,
        at: utc(EpochMillis(Math.min(epochOf(seen.updatedAt), receivedAt)))
      },
      place.states()
    ).pipe(Effect.catchTag("InvalidKey", (error) => Effect.dieMessage(error.message)))

  /**
   * Notes a move in the commit that makes the state known: after a crash that state is old, but the move is not lost.
   */
  const noteMove = (
    { project }: PlaneProject,
    hook: StoredHook,
    seen: WorkItemSeen,
    group: string,
    groupTo: string | undefined
  ) =>
    write(Effect.gen(function*() {
      const { by, isByApi, movedTo } = seen
      yield* noteMoved(sql, hook.id, group)
      const observed = yield* observe(sql, {
        itemId: seen.itemId,
        key: keyIn(project, seen.number),
        title: seen.title,
        state: seen.stateId,
        cancelled: group === "cancelled",
        completed: group === "completed",
        updatedAt: seen.updatedAt,
        receivedAt: hook.receivedAt,
        isAside: seen.isAside,
        by,
        isByApi,
        movedTo: movedTo === undefined ? undefined : { state: movedTo, group: groupTo }
      })
      if (observed !== "moved") yield* noteMoved(sql, hook.id, observed === "confirmed" ? groupTo ?? group : null)
      return observed
    }))

  /** What the hook shows, or the move that it tells of, where a state of ours has undone that in the meantime. */
  const told = (seen: WorkItemSeen, isUndone: boolean) =>
    isUndone && seen.movedTo !== undefined ? { ...seen, stateId: seen.movedTo, stateName: undefined } : seen

  const untilTold = (what: string) =>
    Effect.map(epochMillis, (now): HookOutcome => ({
      _tag: "Later",
      dueAt: later(now, groupWait),
      reason: `Plane has not told ${what} yet`
    }))
  const groupLater = untilTold("its states")

  const comments = new Map<string, Effect.Effect.Success<ReturnType<typeof makeCommentHooks>>>()
  for (const one of all) {
    const { identifier } = one.project
    const ownUser = yield* makeOwnUser(one)
    groups.set(identifier, yield* makeGroups(one.client))
    ownUsers.set(identifier, ownUser)
    comments.set(
      identifier,
      yield* makeCommentHooks(one, {
        areSigned: secretsOf(config, projects, "plane").length > 0,
        commanding,
        ownUser,
        skip: (why) => skip(kindOfComment, why),
        untilTold
      })
    )
  }

  /** Acts on a move, and says what it meant. */
  const acted = (project: PlaneProject, hook: StoredHook, seen: WorkItemSeen, group: string) =>
    Effect.map(act(project, hook, seen, group), (meaning): HookOutcome => ({
      _tag: "Done",
      meaning: meaning === "nothing"
        ? `${moved(seen, group)}; this changes nothing for its task`
        : `${moved(seen, group)}, so its task ${moveWords[meaning]}`
    }))

  const groupIn = ({ project }: PlaneProject): GroupOf =>
    groups.get(project.identifier) ?? (() => Effect.succeed("unknown"))

  /** What a hook says of its work item's state. */
  const workOnState = (project: PlaneProject, hook: StoredHook, seen: WorkItemSeen) =>
    Effect.gen(function*(): Effect.fn.Return<HookOutcome, StorageError> {
      const groupOf = groupIn(project)
      const about = { about: [{ _tag: "Item" as const, itemId: seen.itemId }] }
      if (hook.moved === null) {
        if ((yield* inbox.known([hook])).size > 0) return { ...about, ...duplicate }
        const group = seen.stateGroup ?? (yield* groupOf(seen.stateId))
        if (group === undefined) return { ...about, ...(yield* groupLater) }
        const { movedTo } = seen
        const groupTo = movedTo === undefined || movedTo === seen.stateId ? group : yield* groupOf(movedTo)
        const observed = yield* noteMove(project, hook, seen, group, groupTo)
        if (observed === "unsure") return { ...about, ...(yield* groupLater) }
        if (observed === "undone" || observed === "lost") yield* wakeUps.notify
        if (observed === "undone") {
          const now = yield* epochMillis
          const reason = "Plane is asked who has moved it last"
          return { ...about, _tag: "Later", dueAt: later(now, checkWait), reason }
        }
        if (observed !== "moved" && observed !== "confirmed") {
          return { ...about, _tag: "Done", meaning: noMove(observed, stateIn(seen, group)) }
        }
        const outcome = observed === "moved"
          ? yield* acted(project, hook, seen, group)
          : yield* acted(project, hook, told(seen, true), groupTo ?? group)
        yield* wakeUps.notify
        return { ...about, ...outcome }
      }
      const outcome = yield* acted(
        project,
        hook,
        told(seen, hook.moved !== (seen.stateGroup ?? hook.moved)),
        hook.moved
      )
      yield* wakeUps.notify
      return { ...about, ...outcome }
    })

  /** What a hook says of the marks that start tasks, in words. Its state is known by now. */
  const workOnMarks = (
    project: PlaneProject,
    { receivedAt }: StoredHook,
    seen: WorkItemSeen,
    marks: GivenMarks,
    own: OwnUser
  ) =>
    Effect.gen(function*() {
      const group = seen.stateGroup ?? (yield* groupIn(project)(seen.stateId)) ?? "unknown"
      const change = markChange(marks, seen, group, receivedAt)
      const ignored = notCounted(marks, seen, own)
      if (ignored !== undefined) return `${givenWords(change)}, ${ignored}`
      const item = { workItem: keyIn(project.project, seen.number), itemId: seen.itemId }
      const meaning = yield* tasks.marked(item, change).pipe(
        Effect.catchTag("InvalidKey", (error) => Effect.dieMessage(error.message))
      )
      return `${givenWords(change)}, ${markWords[meaning]}`
    })

  const work = (hook: StoredHook): Effect.Effect<HookOutcome, StorageError> =>
    Effect.gen(function*() {
      const decoded = decodePlaneHook(hook.body, hook.event)
      if (Either.isLeft(decoded)) {
        yield* unreadable(hook, decoded.left)
        return { _tag: "Skipped", reason: decoded.left }
      }
      const seen = decoded.right
      if (seen._tag === "Nothing") return yield* skip(seen.kind, seen.reason)
      const project = all.find(({ place }) => place.current()?.id === seen.project)
      if (project === undefined) {
        // It may be that of a project whose id Plane has not told yet.
        return all.every(({ place }) => place.current() !== undefined)
          ? yield* skip("another project", `it is of the project ${seen.project}`)
          : yield* groupLater
      }
      if (!isSignedFor(hook.signer, project.project)) {
        return yield* skip(otherSecret, `it is of ${project.project.identifier}, and ${otherSecret}`)
      }
      if (seen._tag === "CommentSeen") {
        return yield* comments.get(project.project.identifier)?.(hook, seen) ?? skip(kindOfComment, movesNothing)
      }
      const marks = givenMarks(project.project.start, seen)
      if (marks === undefined) return yield* workOnState(project, hook, seen)
      // Asked before anything is done, because a hook that waits is worked on from its beginning.
      const own: OwnUser | undefined = marks.mayBeOurs
        ? yield* ownUsers.get(project.project.identifier) ?? Effect.succeed("nobody" as const)
        : "nobody"
      if (own === undefined) return yield* untilTold("whose the API token is")
      const outcome = yield* workOnState(project, hook, seen)
      if (outcome._tag !== "Done") return outcome
      const meaning = yield* workOnMarks(project, hook, seen, marks, own)
      yield* wakeUps.notify
      return { ...outcome, meaning: outcome.meaning === undefined ? meaning : `${outcome.meaning}; ${meaning}` }
    })

  return (hooks) =>
    Effect.forEach(
      hooks,
      (hook) => Effect.flatMap(work(hook), (outcome) => inbox.settle(new Map([[hook.id, outcome]]))),
      { discard: true }
    )
})

/** The state that a hook shows, as people read it. */
const stateIn = ({ stateName }: WorkItemSeen, group: string) =>
  stateName === undefined ? `a ${cleanLine(group, textLimit)} state` : cleanLine(stateName, textLimit)

/** Who has made a move, and the name of its state. */
const named = ({ stateName, who }: Pick<WorkItemSeen, "stateName" | "who">) => ({
  stateName: Option.fromNullable(stateName),
  who: Option.fromNullable(who)
})

const moved = (seen: WorkItemSeen, group: string) => whyOf({ ...named(seen), group })

/** What a hook means that tells no move. */
const noMove = (observed: "old" | "ours" | "lost", state: string): string => {
  switch (observed) {
    case "old":
      return `no move: it shows ${state}, and no newer state than is known`
    case "ours":
      return `no move: it shows ${state}, which was known or set by plane-sync`
    case "lost":
      return `it shows ${state}, which another change may have brought back: Plane is asked`
  }
}
