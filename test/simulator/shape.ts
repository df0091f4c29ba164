const stringKind = (text: string): string =>
  /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)
    ? "uuid"
    : /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z$/.test(text)
    ? "moment"
    : "text"

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Where `actual` is of another shape than `expected`. What an error says must be the same word for word. */
export const differences = (
  expected: unknown,
  actual: unknown,
  verbatim: boolean,
  path = "body"
): ReadonlyArray<string> => {
  if (isRecord(expected) && isRecord(actual)) {
    const keys = new Set([...Object.keys(expected), ...Object.keys(actual)])
    return [...keys].flatMap((key) =>
      key in expected && key in actual
        ? differences(expected[key], actual[key], verbatim, `${path}.${key}`)
        : [`${path}.${key} is ${key in expected ? "missing" : "too much"}`]
    )
  }
  if (Array.isArray(expected) && Array.isArray(actual)) {
    return expected.length === actual.length
      ? expected.flatMap((element, index) => differences(element, actual[index], verbatim, `${path}[${index}]`))
      : [`${path} has ${actual.length} elements instead of ${expected.length}`]
  }
  if (typeof expected === "string" && typeof actual === "string") {
    if (stringKind(expected) !== stringKind(actual)) return [`${path} is a ${stringKind(actual)}: ${actual}`]
    return verbatim && stringKind(expected) === "text" && expected !== actual ? [`${path} says ${actual}`] : []
  }
  return typeof expected === typeof actual && (expected === null) === (actual === null) &&
      Array.isArray(expected) === Array.isArray(actual)
    ? []
    : [`${path} is ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`]
}
