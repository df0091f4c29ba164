import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { delimiter, join } from "node:path"

/** Ends the name of a suite that is skipped because there is no promtool. */
export const notByPromtool = " (there is no promtool)"

/** Prometheus's own checker, of Debian's package `prometheus`; undefined if there is none. `none` asks for none. */
export const promtool: string | undefined = (() => {
  const given = process.env["PROMTOOL"]
  if (given === "none") return undefined
  if (given !== undefined && given !== "") return given
  return (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, "promtool")).find(existsSync)
})()

/** The one line that says what a run has not tested. */
export const withoutPromtool = (skipped: number): string =>
  `NOT TESTED BY PROMTOOL: ${skipped} tests are skipped, because ${
    process.env["PROMTOOL"] === "none"
      ? "PROMTOOL is none"
      : "this machine has no promtool: install the package prometheus, or set PROMTOOL"
  }`

/** What promtool says, and whether it finds everything right. */
export const runPromtool = (
  args: ReadonlyArray<string>,
  input = ""
): Promise<{ readonly isRight: boolean; readonly said: string }> =>
  new Promise((resolve) => {
    const child = execFile(promtool ?? "promtool", args, (error, stdout, stderr) => {
      resolve({ isRight: error === null, said: stdout + stderr })
    })
    child.stdin?.end(input)
  })
