/** How much a JSON text may hold to be parsed. */
export interface ShapeLimits {
  /** The most objects and arrays that may be open at once. */
  readonly levels: number
  /** The most objects, arrays and items in them. */
  readonly values: number
}

const Code = {
  quote: 0x22,
  comma: 0x2c,
  openArray: 0x5b,
  backslash: 0x5c,
  closeArray: 0x5d,
  openObject: 0x7b,
  closeObject: 0x7d
}

/**
 * Whether a text holds more than `JSON.parse` should be given: 16 MiB of brackets cost it seconds and gigabytes. Reading
 * the text costs about a millisecond a MiB. What is no JSON is not judged, because `JSON.parse` stops at its beginning.
 */
export const isOverfull = (text: string, { levels, values }: ShapeLimits): boolean => {
  if (!/^\s*[[{]/.test(text)) return false
  let depth = 0
  let count = 0
  for (let position = 0; position < text.length; position++) {
    switch (text.charCodeAt(position)) {
      case Code.quote:
        position = endOfText(text, position)
        break
      case Code.openArray:
      case Code.openObject:
        if (++depth > levels || ++count > values) return true
        break
      case Code.closeArray:
      case Code.closeObject:
        depth -= 1
        break
      case Code.comma:
        if (++count > values) return true
    }
  }
  return false
}

/** Where the quote stands that ends the text which begins at `start`. */
const endOfText = (text: string, start: number): number => {
  for (let position = start + 1; position < text.length; position++) {
    const code = text.charCodeAt(position)
    if (code === Code.quote) return position
    if (code === Code.backslash) position += 1
  }
  return text.length
}
