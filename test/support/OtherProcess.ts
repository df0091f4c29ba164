import { Effect } from "effect"
import type { ChildProcess } from "node:child_process"
import { spawn } from "node:child_process"
import { once } from "node:events"

/** Kills a process and waits for its end. */
export const killed = (child: ChildProcess) =>
  Effect.promise(async () => {
    child.kill("SIGKILL")
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit")
  })

/** Another process that has a database open until the scope closes, with the index that exists when it opens it. */
export const openElsewhere = (file: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const script = `
        const db = new (require("better-sqlite3"))(${JSON.stringify(file)})
        db.pragma("schema_version")
        console.log("open")
        process.stdin.on("close", () => process.exit()).resume()`
      const child = spawn(process.execPath, ["-e", script], { stdio: ["pipe", "pipe", "inherit"] })
      await once(child.stdout, "data")
      return child
    }),
    killed
  )
