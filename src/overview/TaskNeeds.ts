import { Option } from "effect"
import { utc } from "../base/Time.js"
import type { Project } from "../domain/Project.js"
import type { WaitRow } from "../people/Waits.js"
import type { FailedGate } from "../tasks/FailedGates.js"
import type { FoundNeed, KindName } from "./Kinds.js"
import type { OverviewFacts } from "./OverviewFacts.js"
import type { NamedItem, NeedAction } from "./OverviewView.js"

/** A work item's key and name as plain text: a name from outside has no code in it. */
const titleOf = ({ key, name }: NamedItem): string => name === null ? key : `${key} ${name.replaceAll("`", "'")}`

const open = (label: string, url: string | null): ReadonlyArray<NeedAction> =>
  url === null ? [] : [{ _tag: "Open", label, url }]

const hasCommands = (project: Project | undefined) => (project?.commands.length ?? 0) > 0

/** How a person answers where no comment is obeyed. */
const byHttp = (path: string, key: string) =>
  `Send it to \`POST /api/tasks/${key}/${path}\`. With \`ORCH_COMMANDS\` set, a comment in Plane does it.`

const overrule = (key: string, stage: string) => `\`plane-sync task report ${key} --stage ${stage} passed --override\``

/** Who is asked next if nobody acts, where there is somebody. */
const nextOne = ({ escalateAt, step }: WaitRow, project: Project | undefined): string => {
  const next = project?.attention[step]
  return Option.isNone(escalateAt) || next === undefined ? "" : ` Until then ${next} is asked next.`
}

interface Words {
  readonly kind: KindName
  readonly label: string
  readonly before: string
  readonly remedy: (key: string, wait: WaitRow, canCommand: boolean) => string
  readonly action: string
}

const asks = ({ agent, reached }: WaitRow) => {
  const whom = reached.at(-1)
  return `${Option.getOrElse(agent, () => "An agent")} asks${whom === undefined ? "" : ` ${whom}`}:`
}

const said = (kind: KindName, label: string, remedy: Words["remedy"]) => ({ stage }: WaitRow): Words => ({
  kind,
  label,
  before: `At ${stage}:`,
  remedy,
  action: "Open in Plane"
})

/** What is said of a wait, by its reason. A reason of which nothing is known here is told in its own words. */
const words: Readonly<Record<string, (wait: WaitRow) => Words>> = {
  asked: (wait) => ({
    kind: "question",
    label: "Question",
    before: asks(wait),
    remedy: (key, _, canCommand) =>
      canCommand ? `Comment \`/answer\` and your words on ${key}.` : byHttp("answer", key),
    action: "Answer in Plane"
  }),
  approval: said("approval", "Approval", (key, { stage }, canCommand) =>
    canCommand
      ? `Comment \`/approve\`, or \`/reject\` and why, on ${key}.`
      : `Let the stage pass by ${overrule(key, stage)}. With \`ORCH_COMMANDS\` set, a comment in Plane does it.`),
  patience: said(
    "patience",
    "Takes long",
    (key, { stage }) => `See what its agent does. If it needs no more, let the stage pass by ${overrule(key, stage)}.`
  ),
  ceiling: said(
    "ceiling",
    "Over its ceiling",
    (key, _, canCommand) =>
      `Decide whether it goes on: ${
        canCommand ? `comment \`/cancel\` on ${key}` : `\`plane-sync task pause ${key}\``
      } if not. It goes on meanwhile.`
  )
}

const other = said("other", "Waits", (key) => `\`plane-sync task show ${key}\` shows it.`)

/** What a task waits for somebody for. That a letter is dead, and a gate, has a need of its own. */
const waitNeeds = ({ items, settings, waits }: OverviewFacts): ReadonlyArray<FoundNeed> =>
  waits.filter(({ reason }) => reason !== "dead_letter" && reason !== "gate_failed").map((wait) => {
    const { id, openedAt, question, reason, workItem } = wait
    const { action, before, kind, label, remedy } = (words[reason] ?? other)(wait)
    const item = items(workItem)
    const project = settings.ofKey(workItem)
    return {
      kind,
      need: {
        id: `wait:${id}`,
        label,
        since: openedAt,
        count: 1,
        workItem: item,
        title: titleOf(item),
        evidence: { before, words: question },
        remedy: `${remedy(item.key, wait, hasCommands(project))}${nextOne(wait, project)}`,
        actions: open(action, item.url)
      }
    }
  })

/** The gate whose failures are those of builds. */
const builds = "ci"

const gateOf = ({ gate, taskId }: Pick<FailedGate, "gate" | "taskId">) => `gate:${taskId}:${gate}`

const gateRemedy = ({ gate, pullRequest, stage, workItem }: FailedGate, canCommand: boolean) => {
  const mend = pullRequest === null
    ? `See why ${gate} fails.`
    : `Push a fix to pull request ${pullRequest}.`
  return `${mend} ${
    canCommand
      ? `Or comment \`/retry\` to launch the agent of ${stage} again`
      : `Or let it pass by ${overrule(workItem, stage)}`
  }.`
}

/**
 * The gates that fail where people can see why, from the first time on; and those that have failed so often that
 * somebody is needed, which is the same need.
 */
const gateNeeds = ({ gates, items, settings, waits }: OverviewFacts): ReadonlyArray<FoundNeed> => {
  const asked = new Map(
    waits.filter(({ reason }) => reason === "gate_failed")
      .map((wait) => [gateOf({ taskId: wait.taskId, gate: wait.same }), wait] as const)
  )
  return gates.flatMap((failed): ReadonlyArray<FoundNeed> => {
    const { gate, page, reason, since, stage, workItem } = failed
    const wait = asked.get(gateOf(failed))
    if (wait === undefined && Option.isNone(page)) return []
    const item = items(workItem)
    const project = settings.ofKey(workItem)
    const isBuild = gate === builds
    const times = failed.failed > 1 ? ` ${failed.failed} times` : ""
    return [{
      kind: isBuild ? "build" : "gate",
      need: {
        id: gateOf(failed),
        label: isBuild ? "Red build" : "Failed gate",
        since: utc(since),
        count: 1,
        workItem: item,
        title: titleOf(item),
        evidence: { before: `Gate ${gate} failed${times} at ${stage}:`, words: reason },
        remedy: `${gateRemedy(failed, hasCommands(project))}${wait === undefined ? "" : nextOne(wait, project)}`,
        actions: Option.match(page, {
          onNone: () => open("Open in Plane", item.url),
          onSome: ({ url }) => open(isBuild ? "Open the build" : "Open its page", url)
        })
      }
    }]
  })
}

/** What tasks and their agents need. */
export const taskNeeds = (facts: OverviewFacts): ReadonlyArray<FoundNeed> => [
  ...waitNeeds(facts),
  ...gateNeeds(facts)
]

/** More of a kind than this are one need. */
const mostOfKind = 5

const manyRemedies: Partial<Record<KindName, string>> = {
  question: "Answer them in Plane, the oldest first: each is a comment there.",
  approval: "Approve or reject them in Plane, the oldest first.",
  build: "See whether they have one cause. The cards below that are marked lead to each.",
  gate: "See whether they have one cause. The cards below that are marked lead to each."
}

/** One need in the place of many of a kind. */
const folded = (kind: KindName, phrase: string, needs: ReadonlyArray<FoundNeed>): FoundNeed => {
  const [oldest] = needs
  return {
    kind,
    need: {
      id: `many:${kind}`,
      label: oldest?.need.label ?? kind,
      since: oldest?.need.since ?? null,
      count: needs.length,
      workItem: null,
      title: `${phrase.charAt(0).toUpperCase()}${phrase.slice(1)}`,
      evidence: {
        before: "The oldest:",
        words: needs.slice(0, mostOfKind).map(({ need: { title, workItem } }) => workItem?.key ?? title).join(", ")
      },
      remedy: manyRemedies[kind] ?? "The cards below that are marked lead to each.",
      actions: []
    }
  }
}

/** The needs of a kind, or one in their place if they are more than five. `phrase`: so many of them, in words. */
export const foldMany = (
  kind: KindName,
  needs: ReadonlyArray<FoundNeed>,
  phrase: (count: number) => string
): ReadonlyArray<FoundNeed> => needs.length <= mostOfKind ? needs : [folded(kind, phrase(needs.length), needs)]
