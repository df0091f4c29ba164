import { stages } from "../../domain/Stage.js"
import type { Stage } from "../../domain/Stage.js"
import type { PlaneState, StateGroup } from "../../domain/StageStates.js"

/** The state that is proposed for a stage. None: the stage changes no state. */
export interface Proposed {
  readonly stage: Stage
  readonly state: PlaneState | undefined
}

interface Wish {
  /** The groups in which a state is looked for, the best first. */
  readonly groups: ReadonlyArray<StateGroup>
  /** What the name of the right state may have in it, in English and German. */
  readonly words: RegExp
}

const started: ReadonlyArray<StateGroup> = ["started"]

const wishes: Readonly<Record<(typeof stages)[number], Wish>> = {
  created: { groups: ["unstarted", "backlog"], words: /to ?do|open|ready|new|offen|zu erledigen|geplant|bereit|neu/iu },
  analysis: { groups: started, words: /analy[sz]|refine|discover|specif|spezifi|konzept/iu },
  architecture: { groups: started, words: /architect|architekt|design|entwurf/iu },
  development: { groups: started, words: /develop|progress|coding|implement|entwickl|umsetz|arbeit|doing/iu },
  review: { groups: started, words: /review|approv|prüf|freigabe|abnahme/iu },
  testing: { groups: started, words: /test|\bqa\b|verif|qualit/iu },
  deploy: { groups: started, words: /deploy|releas|staging|rollout|auslief|veröffentlich/iu },
  done: { groups: ["completed"], words: /done|complete|finish|closed|fertig|erledigt|abgeschlossen|geschlossen/iu }
}

// Before there is a better one, the work is simply in progress.
const inProgress = /progress|doing|arbeit|umsetz|active|aktiv/iu

/**
 * A state for each stage of the default pipeline, by the names and groups of a project's states. Where no name tells, a
 * stage keeps the state of the one before it, so that no work item seems to go back.
 */
export const proposedStages = (known: ReadonlyArray<PlaneState>): ReadonlyArray<Proposed> => {
  const inOrder = [...known].sort((a, b) => a.sequence - b.sequence)
  const of = (group: StateGroup) => inOrder.filter((state) => state.group === group)
  const begun = of("started")
  let current = begun.find(({ name }) => inProgress.test(name)) ?? begun[0]
  return stages.map((stage) => {
    const { groups, words } = wishes[stage]
    const among = groups.map(of).find(({ length }) => length > 0) ?? []
    const named = among.find(({ name }) => words.test(name))
    if (groups !== started) return { stage, state: named ?? among[0] }
    current = named ?? current
    return { stage, state: current }
  })
}
