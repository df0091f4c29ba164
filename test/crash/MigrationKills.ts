import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Path from "@effect/platform/Path"
import { Clock, Deferred, Duration, Effect, Exit } from "effect"
import { watch } from "node:fs"
import type { Findings } from "../../demo/Judge.js"
import { judge, toldBy } from "../../demo/Judge.js"
import { freePort } from "../support/FreePort.js"
import type { Built } from "./Build.js"
import type { Kill } from "./Pair.js"
import { inTime, killed, program, sqliteFile, startPlane, within } from "./Program.js"
import { look } from "./Scene.js"

const tellLimit = Duration.seconds(30)

/**
 * Kills the program during its first start on a file, while it makes its tables, and then starts it again on the same
 * file. That must work as on any other file. Every kill has a new file and a work item with one event. Plane is healthy
 * here, because only the file is at stake.
 */
export const make = Effect.fnUntraced(function*(built: Built, directory: string, seed: number) {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const client = yield* HttpClient.HttpClient
  const plane = yield* startPlane(built, directory, seed)
  const port = yield* freePort
  const findings: Array<Findings> = []

  const life = (number: number) =>
    Effect.scoped(Effect.gen(function*() {
      const home = path.join(directory, `file-${number}`)
      yield* files.makeDirectory(home)
      const file = yield* sqliteFile(home)
      const { listening, start, url } = yield* program({ built, directory: home, plane, port, database: file })
      const bornAt = yield* Clock.currentTimeMillis

      const kill: Kill = yield* Effect.scoped(Effect.gen(function*() {
        const appeared = yield* Deferred.make<void>()
        const after = yield* within(0, 60)
        let writes = (yield* within(0, 1)) < 0.5 ? Infinity : Math.ceil(yield* within(0, 8))
        let strike = (): void => undefined
        yield* Effect.acquireRelease(
          Effect.sync(() =>
            watch(home, (_, name) => {
              if (name === "plane-sync.sqlite") Deferred.unsafeDone(appeared, Exit.void)
              if (name === "plane-sync.sqlite-wal" && --writes === 0) strike()
            })
          ),
          (watcher) => Effect.sync(() => watcher.close())
        )
        const child = yield* start
        strike = child.kill
        yield* Effect.raceFirst(
          inTime(tellLimit, "plane-sync: its file")(Deferred.await(appeared)),
          Effect.zipRight(killed(child), Effect.never)
        )
        yield* Effect.sleep(writes === Infinity ? after : 200)
        child.kill()
        yield* killed(child)
        const scene = yield* look({ file, bornAt, at: yield* Clock.currentTimeMillis, requests: [] })
        return { step: "in a migration", scene } as const
      }))

      const { id, number: item } = yield* plane.control.addWorkItem(`File ${number}`)
      const agent = `agent ${number}`
      const body = { type: "stage_changed", workItem: `ET-${item}`, from: "created", to: "analysis", agent }
      const shown = Effect.all({
        state: Effect.map(plane.control.workItem(id), ({ state }) => state.name),
        lines: Effect.map(plane.control.comments(id), (comments) => comments.flatMap(({ html }) => toldBy(html)))
      })
      yield* Effect.flatMap(start, listening)
      yield* HttpClientRequest.post(`${url}/api/events`).pipe(
        HttpClientRequest.bodyUnsafeJson(body),
        HttpClient.filterStatusOk(client).execute,
        Effect.scoped
      )
      yield* Effect.iterate(false, {
        while: (told) => !told,
        body: () => Effect.delay(Effect.map(shown, ({ lines, state }) => lines.length > 0 && state !== "Backlog"), 50)
      }).pipe(Effect.timeoutOption(tellLimit))
      const found = judge({
        workItem: `ET-${item} of ${home}`,
        lines: [`🔄 Stage: created → analysis (launching ${agent})`],
        state: "In Progress"
      }, yield* shown)
      findings.push(found)
      return kill
    }))

  return { life, findings }
})
