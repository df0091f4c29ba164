import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as FileSystem from "@effect/platform/FileSystem"
import { Cause, Clock, Console, Data, Duration, Effect, Fiber, Layer, Option } from "effect"
import { Fault, PlaneSimulator } from "../src/simulator/PlaneSimulator.js"
import { countFindings } from "./Judge.js"
import * as Look from "./Look.js"
import * as Service from "./Service.js"
import type { Done } from "./Story.js"
import * as Story from "./Story.js"
import * as Summary from "./Summary.js"
import * as Timeline from "./Timeline.js"

/**
 * The demo. Three tasks go through all stages, two of them moved by what people do in Plane and in Gitea. Plane is away
 * for some seconds in the middle. Each thing is shown as Plane received it. Exit 0 only if Plane shows everything once,
 * in order, in the right state.
 */

class Wrong extends Data.TaggedError("Wrong") {}

class TooSlow extends Data.TaggedError("TooSlow") {
  override get message() {
    return `it did not end within ${Duration.format(mostOfAll)}`
  }
}

const outageAfter = Duration.seconds(3.4)
const outageFor = Duration.seconds(4)
// Lines that have not arrived by then are judged missing. Starting has taken some time before, and closing may take 10
// s more.
const patience = Duration.seconds(16)
const mostOfAll = Duration.seconds(27)

const prepare = Effect.gen(function*() {
  const plane = yield* PlaneSimulator
  const placed = yield* Effect.forEach(
    Story.tasks,
    (task) => Effect.map(plane.addWorkItem({ name: task.name, number: task.number }), (item) => ({ task, item }))
  )
  yield* plane.forgetRequests
  return placed
})

const introduce = (service: string, database: string) =>
  Effect.gen(function*() {
    const plane = yield* PlaneSimulator
    const set = Object.entries(Service.shortened).map(([name, value]) => `${name}=${value}`).join(", ")
    yield* Console.log(`
${Look.bold("plane-sync")}: three tasks go through their stages, and Plane shows it

  Plane         ${plane.url} ${Look.dim("simulated, with the real one's limit of 60 requests a minute")}
  plane-sync    ${service} ${Look.dim("answers webhooks and POST /api/events once they are on disk")}
  database      ${database} ${Look.dim("removed at the end")}
  shortened     ${set} ${Look.dim("for a short outage")}

  ${Look.good("▌ ■")}  a comment, a move: what Plane received     ${Look.dim("grey: what people, agents and Gitea did")}
  ${Look.dim("\"ET-002\" is not ET-2: it is the work item that carries it in its title, ET-7")}
`)
  })

const outage = (say: (text: string) => Effect.Effect<void>) =>
  Effect.gen(function*() {
    const plane = yield* PlaneSimulator
    yield* Effect.sleep(outageAfter)
    const from = yield* Clock.currentTimeMillis
    yield* plane.misbehave(Fault.Down({}))
    yield* say(Look.rule("Plane is down: every connection is dropped; the tasks go on", Look.bad))
    yield* Effect.sleep(outageFor)
    yield* plane.calm
    yield* say(Look.rule("Plane is up: of each task the latest state first, then its comments in order", Look.good))
    return { from, until: yield* Clock.currentTimeMillis }
  })

const demo = Effect.gen(function*() {
  const files = yield* FileSystem.FileSystem
  const directory = yield* files.makeTempDirectoryScoped({ prefix: "plane-sync-demo-" })
  const database = `${directory}/plane-sync.sqlite`
  const placed = yield* prepare
  const start = yield* Clock.currentTimeMillis
  const timeline = Timeline.make(start)
  const done: Array<Done> = []

  return yield* Effect.gen(function*() {
    const baseUrl = yield* Service.address
    const plane = yield* PlaneSimulator
    yield* plane.registerWebhook({ url: `${baseUrl}/webhooks/plane`, secret: Service.secrets.plane })
    yield* introduce(baseUrl, database)

    const during = yield* Effect.scoped(Effect.gen(function*() {
      yield* timeline.follow(placed)
      const away = yield* Effect.fork(outage(timeline.now))
      yield* Story.run({
        baseUrl,
        giteaSecret: Service.secrets.gitea,
        workItemOf: (task) => placed.find((each) => each.task === task)?.item.id ?? "",
        done: (what) => Effect.zipRight(Effect.sync(() => done.push(what)), timeline.done(what))
      })
      const during = yield* Fiber.join(away)
      yield* Effect.iterate(false, {
        while: (done) => !done,
        body: () =>
          Effect.delay(Effect.map(Summary.findingsOf(placed), (findings) => countFindings(findings) === 0), "50 millis")
      }).pipe(
        Effect.timeoutOption(Duration.subtract(patience, Duration.millis((yield* Clock.currentTimeMillis) - start)))
      )
      // A doubled comment would come now.
      yield* Effect.sleep("500 millis")
      return during
    }))

    const tookMillis = (yield* Clock.currentTimeMillis) - start
    return yield* Summary.print({ placed, done, outage: during, tookMillis })
  }).pipe(Effect.provide(Service.layer({ database, logger: timeline.logger })))
})

demo.pipe(
  Effect.scoped,
  Effect.provide(Layer.mergeAll(PlaneSimulator.layer(), NodeFileSystem.layer, NodeHttpClient.layer)),
  Effect.filterOrFail((right) => right, () => new Wrong()),
  // Nothing that hangs is waited for.
  Effect.disconnect,
  Effect.timeoutFail({ duration: mostOfAll, onTimeout: () => new TooSlow() }),
  Effect.tapErrorCause((cause) =>
    Option.match(Cause.failureOption(cause), {
      onNone: () => Cause.isInterruptedOnly(cause) ? Effect.void : Console.error(Cause.pretty(cause)),
      onSome: (error) => {
        if (error._tag === "Wrong") return Effect.void
        return Console.error(Look.bad(`The demo was stopped: ${error.message}`))
      }
    })
  ),
  NodeRuntime.runMain({ disableErrorReporting: true, disablePrettyLogger: true })
)
