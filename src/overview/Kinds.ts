import { counted } from "../base/Text.js"
import type { Need } from "./OverviewView.js"

/** What can need a person, the worst first: the program itself, Plane, what is heard, tasks, and what was given up. */
export const kindNames = [
  "lost",
  "storage",
  "damage",
  "closed",
  "leaderless",
  "standby",
  "left",
  "misfit",
  "gitea",
  "refused",
  "silent",
  "question",
  "approval",
  "build",
  "gate",
  "patience",
  "ceiling",
  "other",
  "notices",
  "letters"
] as const

export type KindName = (typeof kindNames)[number]

/** What needs of one kind have in common. */
interface Kind {
  readonly severity: Need["severity"]
  /** So many of them, as a part of a sentence. */
  readonly phrase: (count: number) => string
}

const broken = (one: string, more: string): Kind => ({
  severity: "broken",
  phrase: (count) => count === 1 ? one : counted(count, one, more)
})
const waits = (one: string, more: string): Kind => ({ ...broken(one, more), severity: "waits" })
const only = (words: string): Kind => broken(words, words)

export const kinds: Readonly<Record<KindName, Kind>> = {
  lost: only("events were lost"),
  storage: only("nothing can be stored"),
  damage: only("the database is damaged"),
  closed: broken("Plane is closed", "causes keep Plane closed"),
  leaderless: only("no replica sends"),
  standby: { severity: "waits", phrase: () => "another process sends" },
  left: broken("a project is not set any more", "projects are not set any more"),
  misfit: broken("a stage table does not fit", "stage tables do not fit"),
  gitea: only("Gitea does not let itself be asked"),
  refused: broken("webhooks are refused", "senders' webhooks are refused"),
  silent: broken("no webhook of Plane comes", "workspaces of Plane send no webhook"),
  question: waits("an agent asks a question", "agents ask questions"),
  approval: waits("a stage waits for a yes or no", "stages wait for a yes or no"),
  build: broken("a build is red", "builds are red"),
  gate: broken("a gate has failed", "gates have failed"),
  patience: waits("a stage takes too long", "stages take too long"),
  ceiling: waits("a task is over its ceiling", "ceilings are passed"),
  other: waits("a task waits for somebody", "tasks wait for somebody"),
  notices: broken("a notice was given up", "notices were given up"),
  letters: broken("a letter is dead", "letters are dead")
}

/** A need of a kind. */
export interface FoundNeed {
  readonly kind: KindName
  readonly need: Omit<Need, "severity">
  /** The same as a sentence, for the head of the page; none where the kind's phrase will do. */
  readonly sentence?: string
}
