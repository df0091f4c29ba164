// Types, the Effect language service and ESLint. Each uses one core, so they run at the same time; what each says comes
// when it has ended.
import { spawn } from "node:child_process"

const parts = [
  ["tsc", "--noEmit"],
  ["effect-language-service", "diagnostics", "--project", "tsconfig.json", "--strict"],
  ["eslint", ".", "--max-warnings", "0"]
]

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

const answers = await Promise.all(parts.map(run))
process.exitCode = answers.every(Boolean) ? 0 : 1
