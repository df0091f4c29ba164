import * as Command from "@effect/cli/Command"
import { Console, Data, Effect, Layer } from "effect"
import { Projects } from "../domain/Projects.js"
import { named } from "../outbox/Leader.js"
import { Outbox } from "../outbox/Outbox.js"
import { askForProbe, probeSeen } from "../outbox/ProbeRequests.js"
import { CurrentProject } from "../plane/CurrentProject.js"
import { PlaneClient } from "../plane/PlaneClient.js"
import { Storage } from "../storage/Storage.js"
import { database, existingFile } from "./Database.js"
import { lineOf } from "./Help.js"
import { shownWhole } from "./Table.js"

/** Plane cannot be written to. */
class PlaneClosed extends Data.TaggedError("PlaneClosed")<{ readonly message: string }> {}

/** How long a running `serve` may take to answer: it may just wait for an answer of Plane. */
const patience = "30 seconds"

const askPlane = Effect.gen(function*() {
  const { all } = yield* Projects
  yield* Effect.validateAll(all, ({ identifier }) =>
    Effect.gen(function*() {
      const { config: { url, workspaceSlug } } = yield* CurrentProject
      yield* (yield* PlaneClient).probe
      yield* Console.log(
        `Plane at ${url} answers, and the project ${identifier} of the workspace ${workspaceSlug} may be written to`
      )
    }).pipe(
      Effect.provide(Layer.provideMerge(PlaneClient.layer, CurrentProject.layerOfKey(`${identifier}-1`)))
    ), { discard: true }).pipe(
      Effect.mapError((errors) => new PlaneClosed({ message: errors.map(({ message }) => message).join("; ") }))
    )
})

/** Has the process that sends from the file look, so that it goes on at once. None if no process does. */
const askLeader = Effect.gen(function*() {
  const leader = yield* (yield* Outbox).leader
  if (leader?.active !== true) return false
  const storage = yield* Storage
  const asked = yield* askForProbe(storage)
  if (asked === undefined) return false
  const answer = Effect.gen(function*() {
    for (;;) {
      const seen = yield* probeSeen(storage, asked)
      if (seen !== undefined) return seen
      yield* Effect.sleep("100 millis")
    }
  })
  const seen = yield* answer.pipe(
    Effect.timeoutFail({
      duration: patience,
      onTimeout: () => new PlaneClosed({ message: `${named(leader)} sends, and did not answer within ${patience}` })
    })
  )
  if (!seen.open) return yield* new PlaneClosed({ message: shownWhole(seen.reason ?? "Plane is closed") })
  yield* Console.log(`Plane answers ${named(leader)}, which goes on sending`)
  return true
})

/** `plane-sync probe`: asks Plane now whether it may be written to. */
export const probe = Command.make("probe", {}, () =>
  Effect.gen(function*() {
    const isThere = yield* Effect.match(existingFile, {
      onFailure: () => false,
      onSuccess: () => true
    })
    if (isThere && (yield* Effect.provide(askLeader, database))) return
    yield* askPlane
  })).pipe(Command.withDescription(lineOf("probe")))
