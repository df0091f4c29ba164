import { Option, Schema } from "effect"
import type { Projects } from "../domain/Projects.js"
import { ShownRepository, shownRepository } from "../domain/ShownRepository.js"
import type { Considered } from "../gitea/Standing.js"
import { stateOf } from "../gitea/Standing.js"
import type { WorkItemLink } from "../outbox/WorkItemLinks.js"
import type { Waiting } from "../people/Waiting.js"
import type { StoryLine } from "../tasks/Story.js"
import type { Task } from "../tasks/Task.js"
import { LaunchState, ReportOutcome, TaskStatus, VerdictWord } from "../tasks/Task.js"
import { Instant, instant } from "./Instant.js"
import { ReceiptView, receiptView } from "./ReceiptView.js"
import { OpenWaitView, openWaitView } from "./WaitView.js"

/** A task: its stage, what its gates and agents said of it, and what it has taken. */
export const TaskView = Schema.Struct({
  id: Schema.Number,
  workItem: Schema.String.annotations({ description: "the key of its work item, as it was first written" }),
  planeId: Schema.NullOr(Schema.String).annotations({
    description: "Plane's uuid of the work item; null while it is not known"
  }),
  stage: Schema.String,
  status: TaskStatus.annotations({
    description:
      "active: it advances when its gates hold; paused, stopped: it waits until it is started again; done: " +
      "it has gone through all stages, or a person has ended it"
  }),
  why: Schema.NullOr(Schema.String).annotations({
    description:
      "who or what has paused, stopped or ended it, or why Plane has no such work item; null while it is active " +
      "and nothing is wrong, and once it has gone through all stages"
  }),
  agent: Schema.NullOr(Schema.String).annotations({
    description: "the agent of its stage; null when the stage has none"
  }),
  repository: ShownRepository,
  pullRequest: Schema.NullOr(Schema.Number),
  headSha: Schema.NullOr(Schema.String),
  entry: Schema.String.annotations({ description: "the id of the transition that entered its stage" }),
  launch: Schema.NullOr(Schema.Struct({
    state: LaunchState,
    since: Instant,
    position: Schema.NullOr(Schema.Number).annotations({
      description:
        "its place among those that wait for their turn; null if it does not wait, its task is paused, or its gates are " +
        "asked first"
    })
  })).annotations({
    description: "the launch of the stage's agent; null when it has none, or the agent's work is over"
  }),
  paused: Schema.NullOr(Schema.Struct({ by: Schema.String, since: Instant })).annotations({
    description: "who has written /pause: no agent is launched for it until /resume; null if nobody has"
  }),
  startedAt: Instant,
  updatedAt: Instant,
  verdicts: Schema.Array(Schema.Struct({
    gate: Schema.String,
    stage: Schema.String.annotations({ description: "the latest stage up to the task's that names the gate" }),
    verdict: VerdictWord,
    reason: Schema.NullOr(Schema.String).annotations({ description: "why it failed, or what it waits for" }),
    since: Instant.annotations({ description: "since when it is passed, failed or pending" }),
    at: Instant.annotations({ description: "when it or its reason last changed" })
  })).annotations({ description: "the last verdict of each gate of its stage and of the stages before" }),
  reports: Schema.Array(Schema.Struct({
    stage: Schema.String,
    outcome: ReportOutcome,
    reason: Schema.NullOr(Schema.String),
    at: Instant
  })).annotations({ description: "the last report on each stage" }),
  waiting: Schema.Array(OpenWaitView).annotations({ description: "what it waits for somebody for, the oldest first" }),
  answers: Schema.Array(Schema.Struct({
    stage: Schema.String,
    question: Schema.String,
    agent: Schema.NullOr(Schema.String),
    answer: Schema.String,
    by: Schema.String,
    at: Instant
  })).annotations({ description: "what people have answered since it started, the oldest first; the newest 50" }),
  receipt: ReceiptView
}).annotations({ identifier: "Task" })
export type TaskView = typeof TaskView.Type

/** A pull request that is about the task's work item. */
const PullRequestView = Schema.Struct({
  repository: Schema.String.annotations({ description: "owner/name" }),
  number: Schema.Number,
  state: Schema.Literal("open", "merged", "closed"),
  draft: Schema.Boolean,
  base: Schema.NullOr(Schema.String).annotations({ description: "the branch that it goes into" }),
  headSha: Schema.String,
  mergedAt: Schema.NullOr(Instant),
  reverts: Schema.Boolean.annotations({ description: "it takes back what was done for the task" }),
  counts: Schema.Boolean.annotations({ description: "whether it moves the task" }),
  why: Schema.NullOr(Schema.String).annotations({ description: "why it does not count; null if it does" })
}).annotations({ identifier: "PullRequest" })

/** A link that the task's work item is to have. */
const LinkView = Schema.Struct({
  kind: Schema.String,
  title: Schema.String,
  url: Schema.String.annotations({
    description: "as it was given; with ORCH_GITEA_PUBLIC_URL Plane has those of Gitea under that address"
  }),
  inPlane: Schema.Boolean.annotations({ description: "whether Plane has it, whoever has made it there" }),
  givenUp: Schema.NullOr(Schema.String).annotations({ description: "why it was given up; null if it was not" })
}).annotations({ identifier: "TaskLink" })

/** A task, the pull requests that are about it, its links, and what happened to it. */
export const TaskWithStory = Schema.Struct({
  ...TaskView.fields,
  pullRequests: Schema.Array(PullRequestView).annotations({
    description: "the pull requests that are about it, as far as is known, whether they count or not"
  }),
  links: Schema.Array(LinkView).annotations({
    description: "the links that its work item is to have, one of a kind; those of an event once it is worked on"
  }),
  story: Schema.Array(Schema.Struct({ at: Instant, line: Schema.String })).annotations({
    description: "its verdicts, and what is not told in Plane: the newest 200 lines, the oldest of them first"
  })
}).annotations({ identifier: "TaskWithStory" })
export type TaskWithStory = typeof TaskWithStory.Type

export const taskView = (projects: Projects["Type"], waiting: Waiting) => ({ itemId, ...task }: Task): TaskView => ({
  ...task,
  planeId: Option.getOrNull(itemId),
  why: Option.getOrNull(task.why),
  agent: Option.getOrNull(task.agent),
  repository: shownRepository(projects, task),
  pullRequest: Option.getOrNull(task.pullRequest),
  headSha: Option.getOrNull(task.headSha),
  launch: Option.getOrNull(
    Option.map(task.launch, (launch) => ({ ...launch, position: Option.getOrNull(launch.position) }))
  ),
  paused: Option.getOrNull(task.paused),
  verdicts: task.verdicts.map((given) => ({ ...given, reason: Option.getOrNull(given.reason) })),
  reports: task.reports.map((report) => ({ ...report, reason: Option.getOrNull(report.reason) })),
  waiting: (waiting.get(task.id) ?? []).map(openWaitView),
  answers: task.answers.map((answer) => ({ ...answer, agent: Option.getOrNull(answer.agent) })),
  receipt: receiptView(task.receipt)
})

const pullRequestView = ({ isRevert = false, pullRequest, whyNot }: Considered): typeof PullRequestView.Type => ({
  repository: pullRequest.name,
  number: pullRequest.number,
  state: stateOf(pullRequest),
  draft: pullRequest.draft,
  base: pullRequest.base,
  headSha: pullRequest.headSha,
  mergedAt: pullRequest.mergedAt === null ? null : instant(pullRequest.mergedAt),
  reverts: isRevert,
  counts: whyNot === undefined,
  why: whyNot ?? null
})

export const taskWithStory = (
  projects: Projects["Type"],
  task: Task,
  { considered, links, story, waiting }: {
    readonly considered: ReadonlyArray<Considered>
    readonly links: ReadonlyArray<WorkItemLink>
    readonly story: ReadonlyArray<StoryLine>
    readonly waiting: Waiting
  }
): TaskWithStory => ({
  ...taskView(projects, waiting)(task),
  pullRequests: considered.map(pullRequestView),
  links: links.map((link) => ({ ...link, givenUp: Option.getOrNull(link.givenUp) })),
  story
})
