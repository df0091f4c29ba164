import type { Question } from "./Ask.js"
import { discardLetter, discardLetters, probe, retryLetter, retryLetters } from "./Client.js"
import type { Filter, Letter, Overview } from "./Wire.js"
import { counted } from "./Words.js"

const letters = (count: number) => counted(count, "letter", "letters")

/** What is said when it were more or fewer than a person has said yes to. */
const ifOther = (count: number, asked: number, what: string) =>
  count === asked ?
    undefined :
    `${letters(count)} ${count === 1 ? "was" : "were"} ${what}, and not ${asked}` +
    (count > asked ? "." : ": the others were settled meanwhile, or can never be told.")

/** Where sending waits, retrying helps only later. */
const whileClosed = (overview: Overview | undefined): string => {
  const closed = overview?.projects.filter(({ state }) => state === "closed").map(({ project }) => project) ?? []
  return closed.length === 0 ? "" : ` Those of ${closed.join(" and ")} wait until Plane is open again.`
}

/** Retries all that match, also those that the page does not show. */
export const retryAll = (filter: Filter, count: number, overview: Overview | undefined): Question => ({
  title: `Retry ${letters(count)}?`,
  text: `All ${count} that match are owed again, also those not shown here.${whileClosed(overview)}`,
  does: `Retry ${count}`,
  leaves: "Leave them",
  run: async (token) => ifOther((await retryLetters(filter, token)).retried, count, "retried")
})

export const discardAll = (filter: Filter, count: number): Question => ({
  title: `Discard ${letters(count)}?`,
  text: `Plane will never be told of what is in ${count === 1 ? "it" : `these ${count}, also those not shown here`}. ` +
    "This cannot be undone.",
  does: `Discard ${count}`,
  leaves: "Keep them",
  run: async (token) => ifOther((await discardLetters(filter, token)).discarded, count, "discarded")
})

export const retryOne = ({ id, workItem }: Letter, overview: Overview | undefined): Question => ({
  title: `Retry letter ${id} of ${workItem}?`,
  text: `It is owed again.${whileClosed(overview)}`,
  does: "Retry it",
  leaves: "Leave it",
  run: async (token) => ifOther((await retryLetter(id, token)).retried, 1, "retried")
})

export const discardOne = ({ id, workItem }: Letter): Question => ({
  title: `Discard letter ${id} of ${workItem}?`,
  text: "Plane will never be told of what is in it. This cannot be undone.",
  does: "Discard it",
  leaves: "Keep it",
  run: async (token) => ifOther((await discardLetter(id, token)).discarded, 1, "discarded")
})

/** Asks Plane now. It is asked about only where a token is missing, because it changes nothing. */
export const probeWith = async (token: string): Promise<string | undefined> => {
  const closed = (await probe(token)).filter(({ state }) => state === "closed")
  return closed.length === 0
    ? undefined
    : closed.map(({ project, reason }) => `${project}: ${reason ?? "Plane is still closed"}`).join(". ")
}

export const probeQuestion = (why: string): Question => ({
  title: "Probe Plane now?",
  text: "If it answers, what is owed is sent at once.",
  does: "Probe",
  leaves: "Leave it",
  needsToken: why,
  run: probeWith
})
