import { Option, Schema } from "effect"
import type { StartMarks } from "../domain/StartMarks.js"

/** A label or an assignee of a work item, by the names that a setting may give it. */
export interface Mark {
  /** Plane's uuid. */
  readonly id: string
  /** Of a label its name, of an assignee the e-mail address in lower case; none if the hook does not tell. */
  readonly name: string | undefined
}

/** What a hook says of the labels, or of the assignees, of a work item. */
export interface MarksSeen {
  readonly kind: keyof StartMarks
  /** Those that it has. */
  readonly has: ReadonlyArray<Mark>
  /** Those that it has got by this change, and still has. */
  readonly got: ReadonlyArray<Mark>
  /** Whether one was taken away by this change. */
  readonly isTaken: boolean
  /** It was done in Plane's pages, where no API token is used. Of what is created no hook tells that. */
  readonly isByPage: boolean
}

const Label = Schema.Struct({ id: Schema.UUID, name: Schema.String })
const Assignee = Schema.Struct({ id: Schema.UUID, email: Schema.optional(Schema.NullOr(Schema.String)) })
const Marks = Schema.Struct({
  labels: Schema.optional(Schema.Array(Label)),
  assignees: Schema.optional(Schema.Array(Assignee))
})
const Change = Schema.Struct({
  field: Schema.Literal("labels", "label_ids", "assignees", "assignee_ids"),
  old_value: Schema.Array(Schema.UUID),
  new_value: Schema.Array(Schema.UUID)
})

const decodeMarks = Schema.decodeUnknownOption(Marks)
const decodeChange = Schema.decodeUnknownOption(Change)

const lower = (text: string) => text.toLowerCase()

/**
 * What a hook says of labels and assignees. Nothing if it is about another change, or has not what Plane Community's
 * have: then it is not known what was added. `activity` and `data` are the body's.
 */
export const marksSeen = (isNew: boolean, activity: unknown, data: unknown): ReadonlyArray<MarksSeen> => {
  const marks = Option.getOrUndefined(decodeMarks(data))
  if (marks === undefined) return []
  const all = {
    label: marks.labels?.map(({ id, name }): Mark => ({ id: lower(id), name })),
    assignee: marks.assignees?.map(({ email, id }): Mark => ({ id: lower(id), name: email?.toLowerCase() }))
  }
  if (isNew) {
    return (["label", "assignee"] as const).map((kind) => {
      const has = all[kind] ?? []
      return { kind, has, got: has, isTaken: false, isByPage: false }
    })
  }
  const change = Option.getOrUndefined(decodeChange(activity))
  if (change === undefined) return []
  const kind = change.field.startsWith("label") ? "label" : "assignee"
  const has = all[kind]
  if (has === undefined) return []
  const before = new Set(change.old_value.map(lower))
  // What was asked for need not be there: Plane drops what it does not take without a word. What is there may have been
  // added by a later change, which has a hook of its own.
  const wanted = new Set(change.new_value.map(lower))
  const got = has.filter(({ id }) => wanted.has(id) && !before.has(id))
  const isTaken = Array.from(before).some((id) => has.every((mark) => mark.id !== id))
  return [{ kind, has, got, isTaken, isByPage: change.field.endsWith("_ids") }]
}

/** Whether a mark is the one that a setting names: a label by its name, an assignee by e-mail address or id. */
export const isMark = (kind: keyof StartMarks, setting: string) => ({ id, name }: Mark): boolean =>
  name === setting || (kind === "assignee" && id === setting)
