import { Effect, Either, Option, Schema } from "effect"
import { cleanLine, reasonLimit, textLimit } from "../base/Text.js"
import type { EpochMillis } from "../base/Time.js"
import { epochMillis } from "../base/Time.js"
import { uuidV7 } from "../base/UuidV7.js"
import type { Link } from "../domain/Link.js"
import type { PipelineStage } from "../domain/PipelineStage.js"
import type { Projects } from "../domain/Projects.js"
import { unset } from "../domain/Projects.js"
import type { Stage } from "../domain/Stage.js"
import { StageEvent } from "../domain/StageEvent.js"
import type { StageEvents } from "../events/StageEvents.js"
import type { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import type { Entry } from "./Entering.js"
import { askedApproval, completion, enterStage } from "./Entering.js"
import type { Pipeline } from "./Pipeline.js"
import type { UnknownStage } from "./RequireStage.js"
import { requireStage } from "./RequireStage.js"
import { tell } from "./Story.js"
import type { Task } from "./Task.js"
import { leavePages, linkTask } from "./TaskLinks.js"
import type { TaskRow } from "./TaskRows.js"
import { taskReader, toldAgentOf } from "./TaskRows.js"
import type { TaskStore } from "./TaskStore.js"
import { NoTask } from "./TaskStore.js"

/** What a person says who takes a task out of its stage whatever the gates say. */
export interface Override {
  /** The stage that the task is at. */
  readonly stage: Stage
  readonly by: string
  readonly reason: string
  /** Links that the work item is to have. */
  readonly links?: ReadonlyArray<Link> | undefined
}

/** What came of it. */
export interface Overruled {
  readonly task: Task
  readonly from: Stage
  readonly to: Stage
  /** Who did it, and why, as the comment says it: "lea: merged by hand". */
  readonly overruledBy: string
}

/** The task is not at this stage, or does not move at all; or nobody says who overrules it and why. */
export class NotOverruled extends Schema.TaggedError<NotOverruled>()("NotOverruled", { why: Schema.String }) {
  override get message(): string {
    return this.why
  }
}

/** The text of one line, without what cannot be shown. Empty if nothing is left of it. */
export const wordsOf = (text: string, limit: number): string => cleanLine(text, limit).trim()

const whoAndWhy = ({ by, reason }: Override): Either.Either<string, NotOverruled> => {
  const [who, why] = [wordsOf(by, textLimit), wordsOf(reason, reasonLimit)]
  return who === "" || why === ""
    ? Either.left(new NotOverruled({ why: "Overruling a task takes the name of who does it, and the reason" }))
    : Either.right(`${who}: ${why}`)
}

const refusal = (workItem: string, why: string) => new NotOverruled({ why: `The task of ${workItem} ${why}` })

/** The stage that a task enters when it is overruled; or why it cannot be. */
const nextOf = ({ pipeline, task }: TaskRow, stage: Stage): Either.Either<PipelineStage, NotOverruled> => {
  const { project, stage: present, status, workItem } = task
  const refused = (why: string) => Either.left(refusal(workItem, why))
  if (status === "done") return refused("is done: there is nothing to overrule")
  if (status !== "active") {
    return refused(`is ${status} at ${present}: start it again (plane-sync task start ${workItem}), then overrule it`)
  }
  // A repetition of what was done already ends here, so it cannot take the task out of a second stage.
  if (stage !== present) return refused(`is at ${present}, not at ${stage}: overrule the stage that it is at`)
  if (Option.isNone(pipeline)) return refused(`stays at ${stage}: ${unset(project)}`)
  return Either.fromOption(
    pipeline.value.after(stage),
    () => refusal(workItem, `is at ${stage}: no stage comes after it`)
  )
}

/**
 * Makes what takes a task out of its stage whatever the gates say. It makes one transition, and leaves the task due, so
 * that whoever advances tasks asks the gates of the next stage. It does not wait for a gate that is being asked: that
 * gate's verdict was about an older revision.
 */
export const makeOverrule = (
  { read, sql }: Storage["Type"],
  events: StageEvents["Type"],
  pipeline: Pipeline["Type"],
  tasks: Pick<TaskStore["Type"], "get">,
  projects: Projects["Type"]
): (key: string, override: Override) => Effect.Effect<
  Overruled,
  StorageError | NoTask | UnknownStage | NotOverruled
> => {
  const reader = taskReader(sql, pipeline)

  /** Says whether the task was still as it was read. Writes first, as a transaction must. */
  const enter = (
    row: TaskRow,
    entry: Entry,
    overruledBy: string,
    links: ReadonlyArray<Link>,
    now: EpochMillis
  ) =>
    Effect.gen(function*() {
      const { id, stage, workItem } = row.task
      const to = entry.stage.stage
      if (!(yield* enterStage(sql, row, entry, { areGatesAsked: false, dueAt: now, now }))) {
        return { value: false, events: [] }
      }
      yield* tell(sql, id, now, `${stage} → ${to}, overruled by ${overruledBy}`)
      yield* leavePages(sql, row.task)
      yield* linkTask(sql, row.task, links)
      const agent = toldAgentOf(pipeline, entry.stage, row.givenAgent)
      const changed = StageEvent.StageChanged({ workItem, from: stage, to, agent, overruledBy, id: entry.id })
      const end = yield* completion(reader, row, entry)
      return { value: true, events: [changed, ...end, ...askedApproval(row, entry, projects)] }
    })

  return Effect.fn("Tasks.overrule")(function*(key, override) {
    const { links = [], stage } = override
    const overruledBy = yield* whoAndWhy(override)
    const { id, project } = yield* tasks.get(key)
    yield* requireStage(pipeline, project, stage)
    for (;;) {
      const row = yield* read(reader.byId(id))
      if (row === undefined) return yield* new NoTask({ workItem: key })
      const next = yield* nextOf(row, stage)
      const entry = yield* uuidV7
      const now = yield* epochMillis
      // A fact that came in between changes nothing of this, so it is tried again until the stage is another one.
      if (!(yield* events.transact(enter(row, { id: entry, stage: next }, overruledBy, links, now)))) continue
      yield* Effect.logInfo(`${row.task.workItem}: ${stage} → ${next.stage}, overruled by ${overruledBy}`)
      return { task: yield* tasks.get(key), from: stage, to: next.stage, overruledBy }
    }
  })
}
