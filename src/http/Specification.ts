const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const name = "HttpApiDecodeError"
const isDecodeError = (value: unknown) => isRecord(value) && value.$ref === `#/components/schemas/${name}`

// It and the schemas that only it refers to.
const unused = [name, "Issue", "PropertyKey"]

const isDecodeErrorResponse = (value: unknown) =>
  isRecord(value) && isRecord(value.content) &&
  Object.values(value.content).every((content) => isRecord(content) && isDecodeError(content.schema))

const pruned = (value: unknown): unknown => {
  if (Array.isArray(value)) {
    return value.filter((member) => !isDecodeError(member)).map(pruned)
  }
  if (!isRecord(value)) return value
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
      if (key !== "components" || !isRecord(member) || !isRecord(member.schemas)) return [key, pruned(member)]
      const schemas = Object.fromEntries(Object.entries(member.schemas).filter(([schema]) => !unused.includes(schema)))
      return [key, { ...member, schemas }]
    })
  )
