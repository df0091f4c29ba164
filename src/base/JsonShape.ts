import { Byte, isBlank } from "./JsonBytes.js"

/** What a JSON text may be made of, whatever it means. */
export interface ShapeLimits {
  /** The most objects and arrays that may be open around a value. */
  readonly levels: number
  /** The most members of all its objects and arrays together. */
  readonly members?: number
}

/** The position after a text that begins before this one. */
const afterText = (json: string, from: number): number => {
  for (let position = from; position < json.length; position++) {
    const code = json.charCodeAt(position)
    if (code === Byte.quote) return position + 1
    if (code === Byte.backslash) position += 1
  }
  return json.length
}

/**
 * Which limit a JSON text is beyond, if any. It only looks for brackets and commas, so a text of a megabyte takes
 * milliseconds. Look before you parse: whatever walks a deep value recursively may overflow the stack, and whatever
 * says what is wrong with each of a hundred thousand members takes seconds.
 */
export const beyond = (json: string, { levels, members = Infinity }: ShapeLimits): keyof ShapeLimits | undefined => {
  let open = 0
  let commas = 0
  for (let position = 0; position < json.length;) {
    const code = json.charCodeAt(position)
    position += 1
    if (isBlank(code)) continue
    if (code === Byte.closeArray || code === Byte.closeObject) {
      open -= 1
      continue
    }
    // What is empty has no level within.
    if (open > levels) return "levels"
    if (code === Byte.quote) position = afterText(json, position)
    else if (code === Byte.openArray || code === Byte.openObject) open += 1
    else if (code === Byte.comma) {
      commas += 1
      if (commas >= members) return "members"
    }
  }
  return undefined
}
