import { Option } from "effect"
import { EpochMillis, utc } from "../base/Time.js"
import { epochOf } from "../domain/PlaneMoment.js"
import type { StartMarks } from "../domain/StartMarks.js"
import type { MarkChange } from "../tasks/Marks.js"
import type { OwnUser } from "./FromPlane.js"
import type { MarksSeen } from "./MarksSeen.js"
import { isMark } from "./MarksSeen.js"
import type { WorkItemSeen } from "./PlaneHook.js"

/** What a hook says of the marks that start tasks of its project. */
export interface GivenMarks {
  /** In words, what was given. None: a label or an assignee was taken away, and the mark is not there. */
  readonly given: string | undefined
  /** It may be the work of our own API token, so it matters whose that is. */
  readonly mayBeOurs: boolean
}

const words = (kind: MarksSeen["kind"], mark: string) =>
  kind === "label" ? `gave it the label ${JSON.stringify(mark)}` : `assigned it to ${mark}`

/** What a hook says of the marks of a project; none if it changes nothing about these. */
export const givenMarks = (start: StartMarks, { marks }: Pick<WorkItemSeen, "marks">): GivenMarks | undefined => {
  const named = marks.flatMap((seen) => {
    const mark = start[seen.kind]
    return mark === undefined ? [] : [{ ...seen, mark, is: isMark(seen.kind, mark) }]
  })
  const given = named.find(({ got, is }) => got.some(is))
  if (given !== undefined) return { given: words(given.kind, given.mark), mayBeOurs: !given.isByPage }
  return named.some(({ has, is, isTaken }) => isTaken && !has.some(is))
    ? { given: undefined, mayBeOurs: false }
    : undefined
}

/** Why a mark that was given starts nothing, by who has given it; none if it counts. */
export const notCounted = (
  { mayBeOurs }: GivenMarks,
  { by }: Pick<WorkItemSeen, "by">,
  own: OwnUser
): string | undefined => {
  if (!mayBeOurs) return undefined
  if (own === "untold") {
    return "which only counts in Plane's pages, because this Plane does not tell whose an API token is"
  }
  if (by === undefined) return "which does not count, because the webhook does not tell who has done it"
  return by.toLowerCase() === own
    ? "which does not count, because it was done with plane-sync's own API token"
    : undefined
}

/** The same as what a task is told. */
export const markChange = (
  { given }: Pick<GivenMarks, "given">,
  { isNew, updatedAt, who }: Pick<WorkItemSeen, "isNew" | "updatedAt" | "who">,
  group: string,
  receivedAt: EpochMillis
): MarkChange => ({
  given: Option.fromNullable(given),
  updatedAt,
  at: utc(EpochMillis(Math.min(epochOf(updatedAt), receivedAt))),
  who: Option.fromNullable(who),
  isNew,
  isEnded: group === "completed" || group === "cancelled"
})
