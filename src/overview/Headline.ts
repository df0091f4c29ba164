import { counted } from "../base/Text.js"
import { closedProjects, lostEvents, storageTrouble } from "../health/Judge.js"
import type { FoundNeed, KindName } from "./Kinds.js"
import { kindNames, kinds } from "./Kinds.js"
import { lettersOf } from "./LetterNeeds.js"
import type { OverviewFacts } from "./OverviewFacts.js"
import { isFirstLook } from "./PlaneNeeds.js"

const sentenceOf = (phrases: ReadonlyArray<string>): string => {
  const last = phrases.at(-1) ?? ""
  const others = phrases.slice(0, -1)
  const text = others.length === 0 ? last : `${others.join(", ")}${others.length === 1 ? "" : ","} and ${last}`
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

/** Of these each counts, and of the rest each need. */
const countedOneByOne: ReadonlySet<KindName> = new Set(["notices", "letters"])

/** How many of a kind there are, in words. */
const phrasesOf = (found: ReadonlyArray<FoundNeed>): ReadonlyArray<string> =>
  kindNames.flatMap((kind: KindName) => {
    const each = countedOneByOne.has(kind)
    const count = found.reduce((sum, one) => one.kind !== kind ? sum : sum + (each ? one.need.count : 1), 0)
    return count === 0 ? [] : [kinds[kind].phrase(count)]
  })

const nothing = (facts: OverviewFacts): ReadonlyArray<string> => {
  if (isFirstLook(facts)) return ["Nothing needs you. Plane was not asked yet: its first answer is awaited."]
  const { elsewhere, outbox: { pending } } = facts.health
  if (pending === 0) return ["All told. Nothing needs you."]
  // Only who sends knows whether Plane takes it.
  return elsewhere.length > 0
    ? [`Nothing that this replica knows needs you. ${counted(pending, "event is", "events are")} owed.`]
    : [`Nothing needs you. ${counted(pending, "event is", "events are")} on the way to Plane.`]
}

/** The answer to whether anything is stuck, in one or two sentences: the worst cause, and then what else there is. */
export const headline = (facts: OverviewFacts, found: ReadonlyArray<FoundNeed>): ReadonlyArray<string> => {
  const [worst, ...others] = found
  if (worst === undefined) return nothing(facts)
  if (worst.sentence === undefined) return [sentenceOf(phrasesOf(found))]
  return others.length === 0 ? [worst.sentence] : [worst.sentence, sentenceOf(phrasesOf(others))]
}

/** Whether anything is lost, and what happens by itself. */
export const below = (facts: OverviewFacts): string => {
  const { health, toldLastHour } = facts
  const { pending } = health.outbox
  const events = `${counted(pending, "event that is owed is", "events that are owed are")} told`
  const dead = lettersOf(facts) === 0 ? "" : " What is dead is kept until you decide."
  if (lostEvents(health) > 0) return `What could not be stored is in the log alone.${dead}`
  if (storageTrouble(health) !== undefined) {
    return `What is stored stays. What comes now is refused, and whoever sends it is told so.${dead}`
  }
  if (closedProjects(health).length > 0) {
    return pending === 0
      ? `Nothing is lost, and nothing is owed just now. Tasks go on meanwhile.${dead}`
      : `Nothing is lost. The ${events} as soon as Plane can be written to; tasks go on meanwhile.${dead}`
  }
  if (pending > 0 && health.elsewhere.length > 0) {
    return `Nothing is lost. Other replicas send for ${
      health.elsewhere.join(", ")
    }, and their pages say how that goes.${dead}`
  }
  if (pending > 0) return `Nothing is lost. The ${events} as fast as Plane allows.${dead}`
  return toldLastHour === 0
    ? `Nothing is owed.${dead}`
    : `${counted(toldLastHour, "event was", "events were")} told in the last hour.${dead}`
}
