import { Console, Effect } from "effect"
import { makeCluster } from "./PostgresCluster.js"

/** Has a cluster until it is killed, of the programs in the folder of its argument. Says where, and its processes. */
const program = Effect.gen(function*() {
  const { folder, processes } = yield* makeCluster(process.argv[2] ?? "")
  yield* Console.log(JSON.stringify({ folder, processes: yield* processes }))
  return yield* Effect.never
})

// Whoever started it may be killed, too.
process.stdin.on("close", () => process.exit(1)).resume()
await Effect.runPromise(Effect.scoped(program))
