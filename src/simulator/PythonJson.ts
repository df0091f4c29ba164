/** Columns that are floats in Plane. Python writes them with ".0". */
const floats = new Set(["sort_order", "sequence"])

const escaped = (text: string): string =>
  JSON.stringify(text).replaceAll(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`
  )

const write = (value: unknown, key: string): string => {
  if (typeof value === "string") return escaped(value)
  if (typeof value === "number") return floats.has(key) && Number.isInteger(value) ? `${value}.0` : String(value)
  if (Array.isArray(value)) return `[${value.map((element) => write(element, "")).join(", ")}]`
  if (typeof value === "object" && value !== null) {
    return `{${Object.entries(value).map(([name, field]) => `${escaped(name)}: ${write(field, name)}`).join(", ")}}`
  }
  return value === true ? "true" : value === false ? "false" : "null"
}

/**
 * JSON as Python's `json.dumps` writes it: a space after colons and commas, everything but ASCII escaped. A receiver
 * that parses and re-serialises a webhook before it checks the signature fails here, as it does with Plane.
 */
export const stringify = (value: unknown): string => write(value, "")
