import * as Either from "effect/Either"
import type { Answer, JsonObject, Request } from "./Http.js"
import { detail, json } from "./Http.js"

/** Bodies and fields the way Django REST Framework reads them, with its words for what is wrong. */

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** What Python calls the type of a JSON value. */
export const pythonType = (value: unknown): string => {
  if (Array.isArray(value)) return "list"
  switch (typeof value) {
    case "string":
      return "str"
    case "boolean":
      return "bool"
    case "number":
      return Number.isInteger(value) ? "int" : "float"
    default:
      return value === null ? "NoneType" : "dict"
  }
}

const parseJson = (text: string): Either.Either<unknown, Answer> =>
  Either.try({
    try: (): unknown => JSON.parse(text),
    catch: () =>
      detail(
        400,
        /^\s*\{/.test(text)
          ? "JSON parse error - Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"
          : "JSON parse error - Expecting value: line 1 column 1 (char 0)"
      )
  })

/** The body as a dictionary, or the 400 or 415 it deserves. */
export const parse = (request: Request): Either.Either<JsonObject, Answer> => {
  if (request.body === "") return Either.right({})
  const type = (request.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() ?? ""
  if (type === "application/x-www-form-urlencoded") {
    return Either.right(Object.fromEntries(new URLSearchParams(request.body)))
  }
  if (type !== "application/json") return Either.left(detail(415, `Unsupported media type "${type}" in request.`))
  return Either.flatMap(parseJson(request.body), (value) =>
    isObject(value)
      ? Either.right(value)
      : Either.left(json(400, {
        non_field_errors: [`Invalid data. Expected a dictionary, but got ${pythonType(value)}.`]
      })))
}

/** Collects what is wrong, field by field. A wrong value reads as undefined. */
export interface Fields {
  readonly text: (name: string, rule: TextRule) => string | null | undefined
  readonly choice: (name: string, choices: ReadonlyArray<string>) => string | undefined
  readonly date: (name: string) => string | null | undefined
  readonly integer: (name: string) => number | undefined
  readonly refuse: (name: string, message: string) => undefined
  /** Complains about an element of a list. Plane says 0 whichever it is. */
  readonly refuseElement: (name: string, message: string) => undefined
  /** The 400 with all complaints, or undefined when there are none. */
  readonly refusal: () => Answer | undefined
}

interface TextRule {
  readonly max?: number
  readonly blank?: boolean
  readonly nullable?: boolean
}

export const fields = (body: JsonObject): Fields => {
  const errors: Record<string, ReadonlyArray<string> | { readonly 0: ReadonlyArray<string> }> = {}
  const refuse = (name: string, message: string) => {
    errors[name] = [message]
    return undefined
  }
  const notNull = "This field may not be null."
  return {
    text: (name, rule) => {
      const raw = body[name]
      if (raw === undefined) return undefined
      if (raw === null) return rule.nullable === true ? null : refuse(name, notNull)
      if (typeof raw !== "string" && typeof raw !== "number") return refuse(name, "Not a valid string.")
      const value = String(raw).trim()
      if (value === "" && rule.blank !== true) return refuse(name, "This field may not be blank.")
      if (value.includes("\0")) return refuse(name, "Null characters are not allowed.")
      if (rule.max !== undefined && Array.from(value).length > rule.max) {
        return refuse(name, `Ensure this field has no more than ${rule.max} characters.`)
      }
      return value
    },
    choice: (name, choices) => {
      const raw = body[name]
      if (raw === undefined) return undefined
      if (raw === null) return refuse(name, notNull)
      return typeof raw === "string" && choices.includes(raw)
        ? raw
        : refuse(name, `"${typeof raw === "string" ? raw : JSON.stringify(raw)}" is not a valid choice.`)
    },
    date: (name) => {
      const raw = body[name]
      if (raw === undefined || raw === null) return raw
      return typeof raw === "string" && /^\d{4}-\d{2}-\d{2}$/.test(raw)
        ? raw
        : refuse(name, "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.")
    },
    integer: (name) => {
      const raw = body[name]
      if (raw === undefined) return undefined
      if (raw === null) return refuse(name, notNull)
      return Number.isInteger(Number(raw)) && raw !== "" && typeof raw !== "boolean"
        ? Number(raw)
        : refuse(name, "A valid integer is required.")
    },
    refuse,
    refuseElement: (name, message) => {
      errors[name] = { 0: [message] }
      return undefined
    },
    refusal: () => Object.keys(errors).length === 0 ? undefined : json(400, errors)
  }
}

/** Whether Python would take a value for true, as a condition on `request.data.get(…)` does. */
export const truthy = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== "" && value !== 0 && value !== false

/** How Django compares an id from a body with a text column. */
export const asText = (value: unknown): string => typeof value === "string" ? value : JSON.stringify(value)

/** A UUID in the form that Python prints, or undefined. */
export const uuid = (text: string): string | undefined => {
  const hex = text.toLowerCase().replaceAll(/[-{}]|^urn:uuid:/g, "")
  return /^[0-9a-f]{32}$/.test(hex)
    ? hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")
    : undefined
}
