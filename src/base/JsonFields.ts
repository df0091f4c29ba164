import { Data, Either } from "effect"
import { Byte, isBlank } from "./JsonBytes.js"

/**
 * What is kept of a value. `whole`: a text, a number, a boolean or null as it is. `beginning`: the same, but a long
 * text may be cut. An object: these fields of an object. In brackets: the elements of a list, which may be cut as a text
 * may; what is no list is kept as an element would be.
 */
export type Wanted = "whole" | "beginning" | Fields | readonly [Wanted]

/** Fields of an object by their names, and what is kept of each. */
export interface Fields {
  readonly [name: string]: Wanted
}

/** Why a text cannot be read. */
export class Unreadable extends Data.TaggedError("Unreadable")<{
  readonly reason: "NotJson" | "TooDeep" | "TooLong"
}> {}

export interface ReadingLimits {
  /** The most objects and arrays that may be open at once. */
  readonly levels: number
  /** A text of `whole` that takes more bytes is refused. */
  readonly longestWhole: number
  /** A text of `beginning` is cut after so many bytes. Of a list no more elements are kept after so many. */
  readonly longestBeginning: number
}

/**
 * Bytes that are read at a time. Of single-byte tokens, the worst there is, these take about half a millisecond. Only
 * the inside of a text may be more, which is passed a hundred times as fast.
 */
export const sliceBytes = 4 * 1024

/** Bytes of a text that are checked at a time, where nothing is kept of it. */
const textBytes = 64 * 1024

/** A number with more digits is nobody's. */
const longestScalar = 1_000
/** A longer name is nobody's that is looked for. */
const longestName = 256

const scalar = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/

const backslashes = Buffer.alloc(4_096, Byte.backslash)

const endsScalar = (byte: number | undefined) =>
  byte === undefined || byte === Byte.comma || byte === Byte.closeArray || byte === Byte.closeObject || isBlank(byte)

/** The work is handed back after each slice, with the number of bytes that are passed. */
type Slices<A> = Generator<number, A>

/**
 * Reads the wanted fields of a large JSON text in UTF-8, and keeps nothing else of it. It pauses after each slice, so
 * that whoever drives it can give way to others: `JSON.parse` of 32 MiB holds the event loop for a second, and may take
 * a gigabyte of memory. Of a name that stands twice in an object the last one counts, as with `JSON.parse`.
 */
export function* readFields(bytes: Buffer, fields: Fields, limits: ReadingLimits): Slices<
  Either.Either<unknown, Unreadable>
> {
  try {
    return Either.right(yield* new Reader(bytes, limits).document(fields))
  } catch (error) {
    if (error instanceof Unreadable) return Either.left(error)
    throw error
  }
}

const isList = (wanted: Wanted): wanted is readonly [Wanted] => Array.isArray(wanted)

class Reader {
  private position = 0
  private sliceEnd = sliceBytes

  constructor(private readonly bytes: Buffer, private readonly limits: ReadingLimits) {}

  *document(fields: Fields): Slices<unknown> {
    const value = yield* this.read(fields, 0)
    while (!this.passBlanks()) yield this.nextSlice()
    if (this.position < this.bytes.length) throw new Unreadable({ reason: "NotJson" })
    return value
  }

  private nextSlice(): number {
    this.sliceEnd = this.position + sliceBytes
    return this.position
  }

  /** Passes blanks. Returns false if the slice is over before. */
  private passBlanks(): boolean {
    while (this.position < this.sliceEnd) {
      if (!isBlank(this.bytes[this.position])) return true
      this.position += 1
    }
    return false
  }

  /** The next byte that is no blank; it is not passed. */
  private *peek(): Slices<number | undefined> {
    while (!this.passBlanks()) yield this.nextSlice()
    return this.bytes[this.position]
  }

  private *pass(expected: number): Slices<void> {
    if ((yield* this.peek()) !== expected) throw new Unreadable({ reason: "NotJson" })
    this.position += 1
  }

  /** Goes on to the end of a text. Returns false if the slice is over before. */
  private passText(): boolean {
    for (;;) {
      const quote = this.bytes.indexOf(Byte.quote, this.position)
      if (quote === -1) throw new Unreadable({ reason: "NotJson" })
      const before = this.firstBackslash(quote)
      this.position = quote + 1
      if ((quote - before) % 2 === 0) return true
      if (this.position >= this.sliceEnd) return false
    }
  }

  /** Where the backslashes begin that stand before a quote. */
  private firstBackslash(quote: number): number {
    let first = quote
    while (first > this.position && this.bytes[first - 1] === Byte.backslash) {
      first -= 1
      // A text may be nothing but backslashes: many are compared at a time.
      while (
        quote - first >= 64 && first - this.position >= backslashes.length &&
        this.bytes.compare(backslashes, 0, backslashes.length, first - backslashes.length, first) === 0
      ) first -= backslashes.length
    }
    return first
  }

  /** Passes a text. Returns where its content starts; it ends before the byte that was passed last. */
  private *text(): Slices<number> {
    yield* this.pass(Byte.quote)
    const start = this.position
    while (!this.passText()) yield this.nextSlice()
    return start
  }

  /** Passes a name and its colon. A long one is returned as an empty text. */
  private *name(): Slices<string> {
    const start = yield* this.text()
    const end = this.position - 1
    const isLong = end - start > longestName
    if (isLong) yield* this.check(start, end)
    yield* this.pass(Byte.colon)
    return isLong ? "" : this.parsed(start, end)
  }

  /** Passes a text that nothing is kept of. What `JSON.parse` refuses is refused in it all the same. */
  private *skipText(): Slices<void> {
    const start = yield* this.text()
    yield* this.check(start, this.position - 1)
  }

  private *check(start: number, end: number): Slices<void> {
    for (let from = start; from < end;) {
      const to = this.cut(from, end, textBytes)
      // It is refused for bytes of ASCII alone, and read faster in this way.
      this.parsed(from, to, "latin1")
      if (to < end) yield this.nextSlice()
      from = to
    }
  }

  private parsed(start: number, end: number, encoding: "latin1" | "utf8" = "utf8"): string {
    try {
      return String(JSON.parse(`"${this.bytes.toString(encoding, start, end)}"`))
    } catch {
      throw new Unreadable({ reason: "NotJson" })
    }
  }

  /** Passes a number, true, false or null. */
  private passScalar(): string {
    const start = this.position
    while (!endsScalar(this.bytes[this.position])) {
      this.position += 1
      if (this.position - start > longestScalar) throw new Unreadable({ reason: "NotJson" })
    }
    const text = this.bytes.toString("latin1", start, this.position)
    if (!scalar.test(text)) throw new Unreadable({ reason: "NotJson" })
    return text
  }

  /**
   * A value, as far as it is wanted. `open` objects and lists are around it. Of what is another kind of value nothing is
   * kept.
   */
  private *read(wanted: Wanted, open: number): Slices<unknown> {
    const byte = yield* this.peek()
    if (isList(wanted)) {
      return yield* byte === Byte.openArray
        ? this.list(wanted[0], open + 1)
        : this.read(wanted[0], open)
    }
    if (byte === Byte.openObject && typeof wanted !== "string") return yield* this.object(wanted, open + 1)
    if (byte === Byte.openObject || byte === Byte.openArray) {
      yield* this.skip(open)
      return byte === Byte.openArray ? [] : {}
    }
    if (byte !== Byte.quote) {
      const value: unknown = JSON.parse(this.passScalar())
      return value
    }
    const start = yield* this.text()
    const end = this.position - 1
    if (wanted === "beginning") {
      const cut = this.cut(start, end, this.limits.longestBeginning)
      yield* this.check(cut, end)
      return this.parsed(start, cut)
    }
    if (end - start > this.limits.longestWhole) throw new Unreadable({ reason: "TooLong" })
    return this.parsed(start, end)
  }

  /** Where a text is cut: between two characters, and not within an escape. */
  private cut(start: number, end: number, longest: number): number {
    let cut = start + longest
    if (end <= cut) return end
    while (((this.bytes[cut] ?? 0) & 0xc0) === 0x80) cut -= 1
    const last = this.bytes.lastIndexOf(Byte.backslash, cut - 1)
    if (last < start || cut - last >= 6) return cut
    let first = last
    while (first > start && this.bytes[first - 1] === Byte.backslash) first -= 1
    // An even number of them are escaped themselves.
    return (last - first) % 2 === 1 ? cut : last
  }

  private *list(wanted: Wanted, open: number): Slices<unknown> {
    const kept: Array<unknown> = []
    const start = this.position
    this.position += 1
    if ((yield* this.peek()) !== Byte.closeArray) {
      for (;;) {
        if (this.position - start > this.limits.longestBeginning) yield* this.skip(open)
        else kept.push(yield* this.read(wanted, open))
        if ((yield* this.peek()) !== Byte.comma) break
        this.position += 1
      }
    }
    yield* this.pass(Byte.closeArray)
    return kept
  }

  private *object(fields: Fields, open: number): Slices<unknown> {
    const kept: Record<string, unknown> = {}
    this.position += 1
    if ((yield* this.peek()) !== Byte.closeObject) {
      for (;;) {
        const name = yield* this.name()
        const wanted = Object.hasOwn(fields, name) ? fields[name] : undefined
        if (wanted === undefined) yield* this.skip(open)
        else kept[name] = yield* this.read(wanted, open)
        if ((yield* this.peek()) !== Byte.comma) break
        this.position += 1
      }
    }
    yield* this.pass(Byte.closeObject)
    return kept
  }

  /** Passes a value, within `open` objects. It is no recursion, because whatever a sender nests is passed here. */
  private *skip(open: number): Slices<void> {
    // Of each that is open, the byte that closes it.
    const closing: Array<number> = []
    for (;;) {
      const byte = yield* this.peek()
      if (byte === Byte.openObject || byte === Byte.openArray) {
        const close = byte === Byte.openObject ? Byte.closeObject : Byte.closeArray
        closing.push(close)
        this.position += 1
        if ((yield* this.peek()) !== close) {
          // What is empty has no level within.
          if (open + closing.length > this.limits.levels) throw new Unreadable({ reason: "TooDeep" })
          if (close === Byte.closeObject) yield* this.anyName()
          continue
        }
      } else if (byte === Byte.quote) yield* this.skipText()
      else this.passScalar()
      while (closing.length > 0 && (yield* this.peek()) === closing.at(-1)) {
        this.position += 1
        closing.pop()
      }
      if (closing.length === 0) return
      yield* this.pass(Byte.comma)
      if (closing.at(-1) === Byte.closeObject) yield* this.anyName()
    }
  }

  private *anyName(): Slices<void> {
    yield* this.skipText()
    yield* this.pass(Byte.colon)
  }
}
