/**
 * What a person gives a work item in Plane so that its task starts, besides moving it: a label, or an assignee. Neither
 * by default.
 */
export interface StartMarks {
  /** The label's name, as Plane has it: upper and lower case differ. */
  readonly label: string | undefined
  /** The user's id or e-mail address, lower case. */
  readonly assignee: string | undefined
}

/** The name of a label: one line, without blanks at its ends. */
export const labelName = /^(?!\s)[^\p{Cc}]{1,255}(?<!\s)$/u

/** A user, by id or by e-mail address. */
export const userName = /^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[^\s@"<>]{1,64}@[^\s@"<>]{1,190})$/u
