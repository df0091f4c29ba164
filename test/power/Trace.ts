/** What a program has written into the files of a folder and had synced, in order: see `recorder.c`. */
export type Op =
  | { readonly kind: "write"; readonly file: string; readonly offset: number; readonly data: Buffer }
  | { readonly kind: "truncate"; readonly file: string; readonly size: number }
  | { readonly kind: "unlink"; readonly file: string }
  | { readonly kind: "syncBegins"; readonly file: string }
  /** `began`: the moment of the op that began it. */
  | { readonly kind: "syncEnds"; readonly file: string; readonly began: number }

/** Reads the records. The moment of each is its place. */
export const readTrace = (bytes: Buffer): ReadonlyArray<Op> => {
  const ops: Array<Op> = []
  let at = 0
  const number = () => {
    const value = Number(bytes.readBigUInt64LE(at))
    at += 8
    return value
  }
  while (at < bytes.length) {
    const [kind, moment, offset, nameLength, dataLength] = [number(), number(), number(), number(), number()]
    if (moment !== ops.length) throw new Error(`the record ${ops.length} of the trace says that it is ${moment}`)
    const file = bytes.toString("utf8", at, at + nameLength)
    at += nameLength
    const data = bytes.subarray(at, at + dataLength)
    at += dataLength
    switch (kind) {
      case 1:
        ops.push({ kind: "write", file, offset, data })
        break
      case 2:
        ops.push({ kind: "truncate", file, size: offset })
        break
      case 3:
        ops.push({ kind: "syncBegins", file })
        break
      case 4:
        ops.push({ kind: "syncEnds", file, began: offset })
        break
      case 5:
        ops.push({ kind: "unlink", file })
        break
      default:
        throw new Error(`a record of the trace has the kind ${kind}`)
    }
  }
  return ops
}

/** A file that grows. Undefined if it is not there. */
type Content = { bytes: Buffer; size: number } | undefined

const sector = 512

const resized = (content: Content, size: number): { bytes: Buffer; size: number } => {
  const { bytes, size: before } = content ?? { bytes: Buffer.alloc(0), size: 0 }
  if (size <= bytes.length) {
    // What was cut off is zero when the file grows again.
    if (size < before) bytes.fill(0, size, before)
    return { bytes, size }
  }
  const larger = Buffer.alloc(Math.max(size, bytes.length * 2))
  bytes.copy(larger, 0, 0, before)
  return { bytes: larger, size }
}

/** Which part of a write has reached the disk: `isThere` is asked for each sector. */
const written = (content: Content, offset: number, data: Buffer, isThere: () => boolean): Content => {
  let next = content
  for (let from = 0; from < data.length; from += sector) {
    if (!isThere()) continue
    const part = data.subarray(from, from + sector)
    const end = offset + from + part.length
    next = resized(next, Math.max(next?.size ?? 0, end))
    part.copy(next.bytes, offset + from)
  }
  return next
}

const applied = (content: Content, op: Op, isThere: () => boolean): Content => {
  switch (op.kind) {
    case "write":
      return written(content, op.offset, op.data, isThere)
    case "truncate":
      return isThere() ? resized(content, op.size) : content
    case "unlink":
      return isThere() ? undefined : content
    default:
      return content
  }
}

const always = () => true

/** How many writes into a file came while it was being synced. Only these show what a sync is taken to cover. */
export const writesDuringSyncs = (ops: ReadonlyArray<Op>, file: string): number => {
  let begun = 0
  let count = 0
  for (const op of ops) {
    if (op.file !== file) continue
    if (op.kind === "syncBegins") begun += 1
    if (op.kind === "syncEnds") begun -= 1
    if (op.kind === "write" && begun > 0) count += 1
  }
  return count
}

/** How what was not synced is treated. */
export type Fate = "there" | "absent" | "some" | "torn"
export const fates: ReadonlyArray<Fate> = ["there", "absent", "some", "torn"]

/**
 * The files as a power cut could leave them that comes before the op `cut`. What was written before a sync that has
 * ended is there. Of each later write all, nothing, or only some sectors are.
 */
export const afterCut = (
  ops: ReadonlyArray<Op>,
  before: ReadonlyMap<string, Buffer>,
  cut: number,
  { fate, random }: { readonly fate: Fate; readonly random: () => number }
): ReadonlyMap<string, Buffer> => {
  const done = ops.slice(0, cut)
  const synced = new Map<string, number>()
  for (const op of done) {
    if (op.kind === "syncEnds") synced.set(op.file, Math.max(synced.get(op.file) ?? 0, op.began))
  }
  const files = new Map<string, Content>(
    Array.from(before, ([file, content]) => [file, { bytes: Buffer.from(content), size: content.length }])
  )
  for (const [moment, op] of done.entries()) {
    const half = () => random() < 0.5
    const isThere = moment < (synced.get(op.file) ?? 0) || fate === "there"
      ? always
      : fate === "absent"
      ? () => false
      : fate === "torn"
      ? half
      : ((there) => () => there)(half())
    files.set(op.file, applied(files.get(op.file), op, isThere))
  }
  return new Map(
    Array.from(files).flatMap(([file, content]) =>
      content === undefined ? [] : [[file, content.bytes.subarray(0, content.size)] as const]
    )
  )
}
