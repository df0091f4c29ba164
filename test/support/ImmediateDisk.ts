import { Layer } from "effect"
import { fdatasyncSync } from "node:fs"
import { Disk } from "../../src/storage/sqlite/LogSync.js"

/** The disk, waited for within the turn, as virtual time needs it: nothing else may take real time there. */
export const immediateDisk = Layer.succeed(Disk, {
  sync: (descriptor: number, done: (error: Error | null) => void) => {
    fdatasyncSync(descriptor)
    done(null)
  }
})
