import { Brand, Either, Schema } from "effect"

// At most 12 letters or digits, as Plane's identifiers are; its numbers are 32-bit, and people write zeros before them.
const pattern = /^([\p{L}\p{N}]{1,12})-([0-9]{1,20})$/u
const maxNumber = 2_147_483_647

/** A key's text with its number as Plane writes it: "ET-2". Plane's by-identifier path takes it. */
export type CanonicalKey = string & Brand.Brand<"CanonicalKey">
export const CanonicalKey = Brand.nominal<CanonicalKey>()

/** A key's text, the same for all spellings that differ only in letter case: "ET-002". */
export type NormalizedKey = string & Brand.Brand<"NormalizedKey">
export const NormalizedKey = Brand.nominal<NormalizedKey>()

/**
 * A work item as people name it: its project's identifier and its number. `written` is the text as it came, because
 * some teams put it into a title. `identifier` is upper case as in Plane. `zeros` says that the number was written with
 * leading zeros, which Plane itself never does: "ET-002" and "ET-2" are usually, but not always, the same work item.
 */
export class WorkItemKey extends Schema.Class<WorkItemKey>("WorkItemKey")({
  written: Schema.String,
  identifier: Schema.String,
  number: Schema.Int,
  zeros: Schema.Boolean
}) {
  get canonical(): CanonicalKey {
    return CanonicalKey(`${this.identifier}-${this.number}`)
  }

  get normalized(): NormalizedKey {
    return WorkItemKey.normalize(this.written)
  }

  /** The key by another identifier of its project, which may have been renamed. What was written stays. */
  under(identifier: string): WorkItemKey {
    const { number, written, zeros } = this
    return identifier === this.identifier ? this : new WorkItemKey({ written, identifier, number, zeros }, true)
  }

  /** `normalized` of a key's text. */
  static normalize(written: string): NormalizedKey {
    return NormalizedKey(written.toUpperCase())
  }

  /** Whether `name` has this key as a whole word, in any letter case. "ET-2" is not in "ET-20" or "BET-2". */
  isNamedIn(name: string): boolean {
    // The pattern of a key has no character that a regular expression would take for its own.
    return new RegExp(`(?<![\\p{L}\\p{N}_])${this.written}(?![\\p{L}\\p{N}_])`, "iu").test(name)
  }

  /** The key that `text` is, or what is wrong with it, in words. */
  static parse(text: string): Either.Either<WorkItemKey, string> {
    const parts = partsOf(text)
    if (typeof parts === "string") return Either.left(parts)
    const { digits, identifier, number } = parts
    return Either.right(
      // The pattern has checked it all.
      new WorkItemKey({
        written: text,
        identifier: identifier.toUpperCase(),
        number,
        zeros: digits.length > 1 && digits.startsWith("0")
      }, true)
    )
  }
}

/** What a key's text begins with: "ET" of "ET-2". */
export const identifierOf = (key: CanonicalKey | NormalizedKey): string => key.slice(0, key.lastIndexOf("-"))

/** The number that it ends with: 2 of "ET-2". */
export const numberOf = (key: CanonicalKey): number => Number(key.slice(key.lastIndexOf("-") + 1))

/** What a key is made of, or what is wrong with it, in words. */
const partsOf = (text: string) => {
  const [, identifier, digits] = pattern.exec(text) ?? []
  if (identifier === undefined || digits === undefined) return notAKey(text)
  const number = Number(digits)
  return number > maxNumber ? `${notAKey(text)}, at most ${maxNumber}` : { identifier, digits, number }
}

const notAKey = (text: string) =>
  `${
    JSON.stringify(text.slice(0, 80))
  } is not a work item key: expected a project's identifier, a dash and a number, ` +
  `like "ET-2"`

/** The text of a work item key: refused with what would be right, kept as written. */
export const WorkItemKeyText = Schema.String.pipe(
  Schema.filter((text) => {
    const parts = partsOf(text)
    return typeof parts !== "string" || parts
  }),
  Schema.annotations({
    identifier: "WorkItemKey",
    description: "a project's identifier, a dash and a number, leading zeros or not",
    examples: ["ET-2", "ET-002"],
    jsonSchema: { type: "string", pattern: "^[\\p{L}\\p{N}]{1,12}-[0-9]{1,20}$" }
  })
)
