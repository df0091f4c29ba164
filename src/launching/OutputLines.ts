import { StringDecoder } from "node:string_decoder"
import { stripVTControlCharacters } from "node:util"
import { visibleLine } from "../base/Text.js"

/** How much of what one process prints is logged, in bytes. The rest is only counted. */
export const outputLimit = 64 * 1024

/** The most characters of one line. */
const lineLimit = 1_000

/**
 * Makes log lines of what a process prints: without colors, and with whatever else a terminal would obey escaped. At
 * most 64 KiB are read; a line that has no end yet is kept until then, or until it is too long for a log line.
 */
export const makeOutputLines = () => {
  const decoder = new StringDecoder("utf8")
  let begun = ""
  let taken = 0

  const shown = (lines: ReadonlyArray<string>) =>
    lines.map((line) => visibleLine(stripVTControlCharacters(line), lineLimit).trimEnd()).filter((line) => line !== "")

  return {
    /** How many bytes may still be taken. */
    room: () => outputLimit - taken,
    /** The lines that have ended within these bytes. */
    take: (bytes: Uint8Array): ReadonlyArray<string> => {
      taken += bytes.length
      // A carriage return alone is how a progress bar begins its line anew.
      const lines = (begun + decoder.write(bytes)).split(/\r\n|\n|\r/)
      begun = lines.pop() ?? ""
      if (begun.length > lineLimit) {
        lines.push(begun)
        begun = ""
      }
      return shown(lines)
    },
    /** The last line, if it has no end. */
    end: (): ReadonlyArray<string> => {
      const last = begun + decoder.end()
      begun = ""
      return shown([last])
    }
  }
}
