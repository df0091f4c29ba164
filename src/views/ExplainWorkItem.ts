import { Context, Effect, Either, Layer, Option, Schema } from "effect"
import type { ConfigError } from "effect"
import { epochMillis } from "../base/Time.js"
import type { KnownPlace } from "../domain/Place.js"
import type { Project } from "../domain/Project.js"
import { stagesOf } from "../domain/Project.js"
import { Projects } from "../domain/Projects.js"
import { WorkItemKey } from "../domain/WorkItemKey.js"
import { TaskPullRequests } from "../gitea/TaskPullRequests.js"
import { Outbox } from "../outbox/Outbox.js"
import { preview } from "../outbox/Preview.js"
import type { WorkItemRow } from "../outbox/Queries.js"
import { currentProject, keptPlace } from "../plane/CurrentProject.js"
import { PlaneConfig } from "../plane/PlaneConfig.js"
import type { DestinationStatus } from "../sending/Destination.js"
import { nextStep } from "../sending/NextStep.js"
import { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import type { Task } from "../tasks/Task.js"
import { TaskStore } from "../tasks/TaskStore.js"
import type { Subject } from "../webhooks/HooksAbout.js"
import { readHooksAbout } from "../webhooks/HooksAbout.js"
import { nextView, unsetView } from "./NextView.js"
import type { StoryFacts } from "./StoryLines.js"
import { storyOf } from "./StoryLines.js"
import type { WorkItemView } from "./WorkItemView.js"
import { workItemView } from "./WorkItemView.js"

/** Nothing is known of a work item. */
export class UnknownWorkItem extends Schema.TaggedError<UnknownWorkItem>()("UnknownWorkItem", {
  key: Schema.String,
  /** The identifiers of the projects, if none of them is that of the key. */
  known: Schema.Array(Schema.String)
}) {
  override get message(): string {
    const nothing =
      `Nothing is known of ${this.key}: no event was published for it, it has no task, and no webhook has ` +
      "told of it"
    return this.known.length === 0
      ? nothing
      : `${nothing}. No project's keys begin like this: expected ${this.known.map((one) => `${one}-…`).join(" or ")}`
  }
}

/** Tells the whole story of a work item, and what is done next for it, from what is stored alone. */
export class ExplainWorkItem extends Context.Tag("plane-sync/ExplainWorkItem")<ExplainWorkItem, {
  /**
   * `limit`: the newest of each kind that are read, and the lines that the story has at most. `planeOf`: whether Plane
   * is written to for a project, by its identifier.
   */
  readonly explain: (
    key: WorkItemKey,
    limit: number,
    planeOf: (project: string) => DestinationStatus | undefined
  ) => Effect.Effect<WorkItemView, StorageError | UnknownWorkItem>
}>() {
  static readonly layer: Layer.Layer<
    ExplainWorkItem,
    ConfigError.ConfigError,
    Outbox | Projects | Storage | TaskPullRequests | TaskStore
  > = Layer.effect(ExplainWorkItem, Effect.suspend(() => make))
}

const make = Effect.gen(function*() {
  const config = yield* PlaneConfig
  const projects = yield* Projects
  const outbox = yield* Outbox
  const storage = yield* Storage
  const tasks = yield* TaskStore
  const { consider } = yield* TaskPullRequests

  /** The pull requests of a task, and the commits that they end in. */
  const subjectsOf = (task: Task) =>
    Effect.map(
      consider(task),
      (considered) =>
        considered.flatMap(({ pullRequest: { headSha, number, repository } }): ReadonlyArray<Subject> => [
          { _tag: "PullRequest", repository, number },
          { _tag: "Commit", repository, sha: headSha }
        ])
    )

  /** What the file has under this key, or under the one that its task was started by. */
  const find = (key: WorkItemKey, limit: number) =>
    Effect.gen(function*() {
      const task = Option.getOrUndefined(yield* tasks.byKey(key.written))
      const row = (yield* outbox.workItem(key.normalized, limit)) ??
        (task && (yield* outbox.workItem(WorkItemKey.normalize(task.workItem), limit)))
      return row && { task, row }
    })

  const nextOf = (
    project: Project,
    place: KnownPlace,
    row: WorkItemRow,
    facts: StoryFacts,
    plane: DestinationStatus | undefined
  ) =>
    Effect.gen(function*() {
      const { config: policy } = currentProject(config, projects.all, project, place)
      const { names, stages, texts } = project
      const plan = nextStep({
        ...policy,
        stages,
        states: place.states,
        setting: names.states,
        texts,
        pipeline: stagesOf(project),
        // What is sent is not shown, only what comes next.
        linkAddress: Either.right
      })
      const now = yield* epochMillis
      const next = yield* storage.read(preview(storage.sql, row, { plan }, now))
      const leader = yield* outbox.leaderOf(project.identifier)
      const nobody = leader?.active === true
        ? undefined
        : `nobody is sending from ${storage.where}: it waits until \`plane-sync serve\` runs`
      return nextView(next, facts, { plane, nobody }, now)
    })

  return ExplainWorkItem.of({
    explain: (key, limit, planeOf) =>
      Effect.gen(function*() {
        const found = yield* find(key, limit)
        if (found === undefined) {
          const isKnown = projects.ofKey(key.written) !== undefined
          const known = isKnown ? [] : projects.all.map(({ identifier }) => identifier)
          return yield* new UnknownWorkItem({ key: key.written, known })
        }
        const { row, task } = found
        const itemId = Option.orElse(
          Option.fromNullable(row.itemId),
          () => Option.flatMap(Option.fromNullable(task), ({ itemId }) => itemId)
        )
        const subjects = [
          ...Option.toArray(itemId).map((itemId): Subject => ({ _tag: "Item", itemId })),
          ...(task === undefined ? [] : yield* subjectsOf(task))
        ]
        const known = row.project
        const identifier = known === "" ? key.identifier : known
        // What is of no project is looked for in the first, which says what is wrong.
        const project = projects.named(identifier) ?? (known === "" ? projects.all[0] : undefined)
        const kept = (yield* outbox.places).get(project?.identifier ?? identifier)
        const place = project && keptPlace(project, kept)
        const facts: StoryFacts = {
          row,
          task,
          states: (place?.current() ?? kept)?.listed ?? [],
          table: place?.states() ?? new Map(),
          hooks: yield* readHooksAbout(storage, subjects, limit),
          taskStory: task === undefined ? [] : yield* tasks.story(task.id)
        }
        const story = storyOf(facts).slice(-limit)
        const next = project === undefined || place === undefined
          ? unsetView(row.owed, identifier)
          : yield* nextOf(project, place, row, facts, planeOf(project.identifier))
        return workItemView(key.written, row, facts, story, next)
      })
  })
})
