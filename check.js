/**
 * Types with the Effect language service, and ESLint. Each uses one core, so they run at the same time; what each says
 * comes when it has ended.
 *
 * The language service goes into a copy of TypeScript, whose tsc then tells of both. Asked by its own program it looks
 * at all types a second time, for minutes; and the build's tsc stays as it was published.
 */
import { spawn } from "node:child_process"
import { cpSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const copy = mkdtempSync(join(tmpdir(), "plane-sync-check-"))

/** npm puts the programs of the packages into PATH. */
const run = ([command, ...options]) =>
  new Promise((resolve) => {
    const program = spawn(command, options, { stdio: ["ignore", "pipe", "pipe"] })
    const said = []
    program.stdout.on("data", (text) => said.push(text))
    program.stderr.on("data", (text) => said.push(text))
    program.on("error", (error) => said.push(Buffer.from(`${error.message}\n`)))
    program.on("close", (code) => {
      process.stdout.write(`${command} ${options.join(" ")}: ${code === 0 ? "fine" : "not fine"}\n`)
      process.stdout.write(Buffer.concat(said))
      resolve(code === 0)
    })
  })

const typesAndEffects = async () => {
  cpSync("node_modules/typescript", copy, { recursive: true })
  const isPatched = await run(["effect-language-service", "patch", "--module", "tsc", "--dir", copy])
  if (!isPatched) return false
  // The page's types are others: those of a browser.
  const ofProgram = await run(["node", `${copy}/lib/tsc.js`, "--noEmit"])
  const ofPage = await run(["node", `${copy}/lib/tsc.js`, "--noEmit", "-p", "page"])
  return ofProgram && ofPage
}

const answers = await Promise.all([typesAndEffects(), run(["eslint", ".", "--max-warnings", "0"])])
rmSync(copy, { recursive: true })
process.exitCode = answers.every(Boolean) ? 0 : 1
