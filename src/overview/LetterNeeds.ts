import { counted } from "../base/Text.js"
import { utc } from "../base/Time.js"
import type { DeadCode } from "../outbox/DeadCode.js"
import type { DeadGroup } from "../outbox/DeadGroups.js"
import { mostGrouped } from "../outbox/DeadGroups.js"
import type { FoundNeed } from "./Kinds.js"
import type { OverviewFacts } from "./OverviewFacts.js"
import type { DeadLetterFilter, NeedAction } from "./OverviewView.js"

/** What is said of the dead letters of a code. `acts`: what a person does mostly, first. */
interface Reason {
  readonly title: (where: string) => string
  readonly remedy: string
  readonly acts: ReadonlyArray<"retry" | "discard" | "show">
}

const inProject = (project: string) => project === "" ? "" : ` in ${project}`

const reasons: Readonly<Record<DeadCode, Reason>> = {
  unfit: {
    title: () => "Published, and can never be told",
    remedy: "Mend what publishes them: each says what is wrong with it. Then discard them.",
    acts: ["discard", "show"]
  },
  wrong_project: {
    title: () => "Their keys begin with no project that is set",
    remedy: "Add the project to the settings, restart, and retry. Discard them if the keys are typing errors.",
    acts: ["show", "discard"]
  },
  ambiguous: {
    title: (where) => `Several work items carry their keys${where}`,
    remedy: "Rename the work items in Plane so that one carries each key, then retry.",
    acts: ["retry", "show"]
  },
  not_found: {
    title: (where) => `Nobody has their keys${where}`,
    remedy: "Discard them if the keys are typing errors. Retry when the work items exist.",
    acts: ["discard", "retry"]
  },
  gone: {
    title: (where) => `Their work items were deleted or archived${where}`,
    remedy: "Discard them. Restore the work items in Plane before you retry.",
    acts: ["discard", "retry"]
  },
  refused: {
    title: (where) => `Refused by Plane${where}`,
    remedy:
      "Mend what Plane names: a state that is gone is named anew in the stage table, and then restart. Then retry.",
    acts: ["retry", "show"]
  },
  ignored: {
    title: (where) => `Plane said yes, and did something else${where}`,
    remedy: "See in Plane what stands there, then retry, or discard them if it is right.",
    acts: ["retry", "show"]
  },
  attempts: {
    title: (where) => `All attempts failed${where}`,
    remedy: "Retry them once Plane is well: nothing doubles.",
    acts: ["retry", "show"]
  }
}

const showOnly: Reason["acts"] = ["show"]

const needOf =
  (isWhole: boolean) => ({ code, firstAt, id, letters, project, reason, workItem }: DeadGroup): FoundNeed => {
    const { acts, remedy, title } = reasons[code]
    const filter: DeadLetterFilter = { code, project, since: null, until: null, upTo: id }
    const all = letters === 1 ? "it" : letters === 2 ? "both" : `all ${letters}`
    const action = (act: Reason["acts"][number]): NeedAction => {
      switch (act) {
        case "retry":
          return { _tag: "RetryLetters", label: `Retry ${all}`, filter, count: letters }
        case "discard":
          return { _tag: "DiscardLetters", label: `Discard ${all}`, filter, count: letters }
        case "show":
          return { _tag: "ShowLetters", label: letters === 1 ? "Show it" : "Show them", filter }
      }
    }
    return {
      kind: "letters",
      need: {
        id: `letters:${code}:${project}`,
        label: counted(letters, "dead letter", "dead letters"),
        since: utc(firstAt),
        count: letters,
        workItem: null,
        title: title(inProject(project)),
        evidence: { before: letters === 1 ? `${workItem}:` : `The newest, ${workItem}:`, words: reason },
        remedy,
        actions: (isWhole ? acts : showOnly).map(action)
      }
    }
  }

const notices = (count: number): FoundNeed => ({
  kind: "notices",
  need: {
    id: "notices",
    label: "Notices",
    since: null,
    count,
    workItem: null,
    title: `${counted(count, "notice was", "notices were")} given up`,
    evidence: { before: "", words: "Somebody may not know that a task waits" },
    remedy:
      "`plane-sync notices list` says why. Mend that, then `plane-sync notices retry`. Or, if nobody needs to know " +
      "any more, `plane-sync notices discard`.",
    actions: []
  }
})

/** How many letters there are, up to 10,000. */
export const lettersOf = ({ letters }: Pick<OverviewFacts, "letters">): number =>
  letters.reduce((sum, group) => sum + group.letters, 0)

/** What could not be told: letters by their reason and project, and notices. */
export const letterNeeds = (facts: OverviewFacts): ReadonlyArray<FoundNeed> => [
  // Of more than are counted, nobody is asked about a number that is not theirs.
  ...facts.letters.map(needOf(lettersOf(facts) < mostGrouped)),
  ...(facts.health.deadNotices === 0 ? [] : [notices(facts.health.deadNotices)])
]
