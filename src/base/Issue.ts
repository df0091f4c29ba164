import { ParseResult, Schema } from "effect"

/** What is wrong with one field of something that was given from outside. */
export const Issue = Schema.Struct({
  field: Schema.String.annotations({ description: "the field's name; `body`: the whole" }),
  message: Schema.String,
  given: Schema.optionalWith(Schema.Unknown, { exact: true }).annotations({
    description: "what was given, shortened when it is long"
  })
}).annotations({ identifier: "FieldIssue" })
export type Issue = typeof Issue.Type

const maxGiven = 200

/** A given value as an issue shows it: a long one is cut. */
export const shortened = (value: unknown): unknown => {
  const json = JSON.stringify(value)
  return json.length <= maxGiven ? value : `${json.slice(0, maxGiven)}…`
}

/** The same as text, for the sentence of a message. */
export const echoed = (value: unknown): string => {
  const json = JSON.stringify(value)
  return json.length <= maxGiven ? json : `${json.slice(0, maxGiven)}…`
}

/** Whether a value is what JSON calls an object. */
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The most issues that are said: nobody reads more, and something may have a hundred thousand. */
const maxIssues = 20

/** The longest message of ours. A schema's own ends with the value that was given, whatever that is. */
const maxMessage = 400

const bounded = (text: string, limit: number) => text.length <= limit ? text : `${text.slice(0, maxGiven)}…`

const at = (value: unknown, path: ReadonlyArray<PropertyKey>): unknown =>
  path.reduce<unknown>((inner, key) => isObject(inner) ? inner[String(key)] : undefined, value)

/** A schema's complaints, one for each field, and at most 20. With `input` they show what was given there. */
export const issuesOf = (
  complaints: ReadonlyArray<Pick<ParseResult.ArrayFormatterIssue, "message" | "path">>,
  input?: unknown
): Array<Issue> => {
  const byField = new Map<string, Issue>()
  for (const { message, path } of complaints) {
    if (byField.size === maxIssues) break
    const field = bounded(path.join("."), maxGiven)
    // The second complaint about an optional field, or about what is in it, says that it might have been left out, which
    // helps nobody. Of a list, the first is about what is in it.
    if (byField.has(field) || Array.from(byField.keys()).some((known) => known.startsWith(`${field}.`))) continue
    const given = at(input, path)
    byField.set(field, {
      field,
      message: bounded(message, maxMessage),
      ...(given === undefined ? {} : { given: shortened(given) })
    })
  }
  return Array.from(byField.values())
}

/** All issues in one line. */
export const describeIssues = (issues: ReadonlyArray<Issue>): string =>
  issues.map(({ field, message }) => `${field}: ${message}`).join("; ")

/** What a schema has refused, in one line: each field that is wrong, and what is wrong with it. */
export const describeParseError = (error: ParseResult.ParseError): string =>
  describeIssues(issuesOf(ParseResult.ArrayFormatter.formatErrorSync(error)))
