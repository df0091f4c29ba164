import { isObject } from "../base/Issue.js"

const name = "HttpApiDecodeError"
const isDecodeError = (value: unknown) => isObject(value) && value.$ref === `#/components/schemas/${name}`

// It and the schemas that only it refers to.
const unused = [name, "Issue", "PropertyKey"]

const isDecodeErrorResponse = (value: unknown) =>
  isObject(value) && isObject(value.content) &&
  Object.values(value.content).every((content) => isObject(content) && isDecodeError(content.schema))

const pruned = (value: unknown): unknown => {
  if (Array.isArray(value)) {
    return value.filter((member) => !isDecodeError(member)).map(pruned)
  }
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => !isDecodeErrorResponse(member))
      .map(([key, member]) => [key, pruned(member)])
  )
}

/**
 * The OpenAPI document without the platform's own body of a 400, which the platform adds to every endpoint. What is
 * really sent is a `Problem` (see `Edge`), at those endpoints that declare it.
 */
export const withoutDecodeError = (document: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(document).map(([key, member]) => {
      if (key !== "components" || !isObject(member) || !isObject(member.schemas)) return [key, pruned(member)]
      const schemas = Object.fromEntries(Object.entries(member.schemas).filter(([schema]) => !unused.includes(schema)))
      return [key, { ...member, schemas }]
    })
  )

/** The OpenAPI operation of an endpoint whose body may be left out: the platform would call it required. */
export const withOptionalBody = (operation: Readonly<Record<string, unknown>>): Record<string, unknown> => ({
  ...operation,
  requestBody: isObject(operation.requestBody) ? { ...operation.requestBody, required: false } : undefined
})
