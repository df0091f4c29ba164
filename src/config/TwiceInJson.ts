/**
 * The first field that a JSON text has twice in one object, as a path like `projects.ET`. The parser takes the last and
 * says nothing, so that a person would look for what became of the first. The text is valid JSON.
 */
export const twiceIn = (text: string): string | undefined => {
  const open: Array<{ readonly seen: Set<string>; field: string }> = []
  // Texts as a whole, with the colon behind a field's name; and what begins and ends objects.
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"(?:\s*:)?|[{}]/gsu)) {
    const inner = open.at(-1)
    if (token === "{") open.push({ seen: new Set(), field: "" })
    else if (token === "}") open.pop()
    else if (token.endsWith(":") && inner !== undefined) {
      inner.field = String(JSON.parse(token.slice(0, -1)))
      if (inner.seen.has(inner.field)) return open.map(({ field }) => field).join(".")
      inner.seen.add(inner.field)
    }
  }
  return undefined
}
