import type { FoundNeed } from "./Kinds.js"
import { kindNames, kinds } from "./Kinds.js"
import { letterNeeds } from "./LetterNeeds.js"
import type { OverviewFacts } from "./OverviewFacts.js"
import type { Need, Overview } from "./OverviewView.js"
import { planeNeeds } from "./PlaneNeeds.js"
import { programNeeds } from "./ProgramNeeds.js"
import { foldMany, taskNeeds } from "./TaskNeeds.js"

/** What needs a person, the worst first; within a kind the oldest first. */
export const findNeeds = (facts: OverviewFacts): ReadonlyArray<FoundNeed> => {
  const found = [...programNeeds(facts), ...planeNeeds(facts), ...taskNeeds(facts), ...letterNeeds(facts)]
  return kindNames.flatMap((kind) => found.filter((one) => one.kind === kind))
}

/** As they are shown: more than five of a kind are one. */
export const shownNeeds = (found: ReadonlyArray<FoundNeed>): ReadonlyArray<Need> =>
  kindNames.flatMap((kind) => {
    const { phrase, severity } = kinds[kind]
    return foldMany(kind, found.filter((one) => one.kind === kind), phrase).map(({ need }) => ({ ...need, severity }))
  })

/** The worst of them. */
export const severityOf = (found: ReadonlyArray<FoundNeed>): Overview["severity"] =>
  found.length === 0 ? "fine" : found.some(({ kind }) => kinds[kind].severity === "broken") ? "broken" : "waits"
