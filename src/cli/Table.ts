import { DateTime } from "effect"
import { textLimit, visibleLine } from "../base/Text.js"
import type { EpochMillis } from "../base/Time.js"

/**
 * A text from outside, in one line and cut when it is long. Control characters are escaped, because a terminal obeys
 * them.
 */
export const shown = (text: string): string => visibleLine(text, textLimit)

/** The same, but never cut. */
export const shownWhole = (text: string): string => visibleLine(text, Infinity)

/** A moment as people and programs read it: "2026-11-20T08:30:00Z". */
export const moment = (at: DateTime.Utc | EpochMillis): string =>
  DateTime.formatIso(DateTime.unsafeMake(at)).replace(/\.\d+Z$/, "Z")

/** Rows with their columns below each other. */
export const table = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = rows.reduce<ReadonlyArray<number>>(
    (widest, row) => row.map((cell, index) => Math.max(cell.length, widest[index] ?? 0)),
    []
  )
  return rows.map((row) => row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join("  ").trimEnd()).join("\n")
}
