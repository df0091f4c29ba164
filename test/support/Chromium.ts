import { existsSync } from "node:fs"
import { delimiter, join } from "node:path"

/** Ends the name of a suite that is skipped because there is no Chromium. */
export const notInBrowser = " (there is no Chromium)"

const names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"]

/** The browser of `CHROMIUM`, or else the first that is in PATH; undefined if there is none. `none` asks for none. */
export const chromium: string | undefined = (() => {
  const given = process.env["CHROMIUM"]
  if (given === "none") return undefined
  if (given !== undefined && given !== "") return given
  const folders = (process.env["PATH"] ?? "").split(delimiter)
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync)
})()

/** Without a window, without a sandbox, which a container has no rights for, and without a word to anybody. */
export const chromiumOptions: ReadonlyArray<string> = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync"
]

/** The one line that says what a run has not tested. */
export const withoutBrowser = (skipped: number): string =>
  `NOT TESTED IN A BROWSER: ${skipped} tests are skipped, because ${
    process.env["CHROMIUM"] === "none"
      ? "CHROMIUM is none"
      : "this machine has no Chromium: install it, or set CHROMIUM"
  }`
