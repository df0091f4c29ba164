import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Cause, Clock, Console, Data, Deferred, Duration, Effect, Fiber, Layer, Option } from "effect"
import { Fault, PlaneSimulator } from "../src/simulator/PlaneSimulator.js"
import type { Done } from "./Actors.js"
import * as Actors from "./Actors.js"
import { countFindings } from "./Judge.js"
import * as Look from "./Look.js"
import { planeOptions } from "./Projects.js"
import * as Service from "./Service.js"

import * as Story from "./Story.js"
import * as Summary from "./Summary.js"
import * as Timeline from "./Timeline.js"
import { warmUp } from "./Warm.js"

/**
 * The demo. Three tasks go through all stages, two of them moved by what people do in Plane and in Gitea, one of
 * which asks people and is answered by comments in Plane. Plane is away
 * for some seconds in the middle. Each thing is shown as Plane received it. Exit 0 only if Plane shows everything once,
 * in order, in the right state. With `--keep` all keeps running after that, until Ctrl-C.
 */

class Wrong extends Data.TaggedError("Wrong") {}

class TooSlow extends Data.TaggedError("TooSlow") {
  override get message() {
    return `it did not end within ${Duration.format(mostOfAll)}`
  }
}

const isKept = process.argv.includes("--keep")

const outageAfter = Duration.seconds(3.4)
const outageFor = Duration.seconds(4)
// Lines that have not arrived by then are judged missing. Starting and warming up has taken some time before, and
// closing may take 10 s more.
const patience = Duration.seconds(22)
const mostOfAll = Duration.seconds(40)

const prepare = Effect.gen(function*() {
  const plane = yield* PlaneSimulator
  const placed = yield* Effect.forEach(
    Story.tasks,
    (task) =>
      Effect.map(
        plane.addWorkItem({ name: task.name, number: task.number, projectId: task.project.id }),
        (item) => ({ task, item })
      )
  )
  yield* plane.forgetRequests
  return placed
})

const introduce = (service: string, directory: string) =>
  Effect.gen(function*() {
    const plane = yield* PlaneSimulator
    const settings = Object.entries(Service.shortened).map(([name, value]) => `${name}=${value}`)
    yield* Console.log(`
${Look.bold("plane-sync")}: three tasks go through their stages, and Plane shows it

  Plane       ${plane.url}
              ${Look.dim("simulated, with the real one's limit of 60 requests a minute")}
              ${Look.dim("for each API token: ET and TC have one each")}
  plane-sync  ${service}
              ${Look.dim("answers webhooks and POST /api/events once they are on disk")}
  database    ${Service.databaseIn(directory)}
              ${Look.dim("removed at the end")}
  settings    ${settings.join("\n              ")}
              ${Look.dim("shorter than the defaults, for a short outage")}

  ${Look.good("■")}  a state, ${Look.good("▌")} a comment: what Plane shows now
     ${Look.dim("grey: what people, agents and Gitea did")}
  ${Look.dim(`A comment of several lines has the time of each behind it, left out here.`)}
  ${Look.dim("TC-3 has one comment of its stages, which is edited (✎), and asks people:")}
  ${Look.dim("who is asked is assigned for as long as it waits.")}
  ${Look.dim("\"ET-002\" is not ET-2: it is ET-7, the work item that carries it in its title.")}
`)
  })

const outage = (banner: (title: string, as: Look.Paint) => Effect.Effect<void>) =>
  Effect.gen(function*() {
    const plane = yield* PlaneSimulator
    yield* Effect.sleep(outageAfter)
    const from = yield* Clock.currentTimeMillis
    yield* plane.misbehave(Fault.Down({}))
    yield* banner("Plane is down: every connection is dropped; the tasks go on", Look.bad)
    yield* Effect.sleep(outageFor)
    yield* plane.calm
    yield* banner("Plane is up: what waits is sent, of each task in order", Look.good)
    return { from, until: yield* Clock.currentTimeMillis }
  })

/** Runs the demo at a service that is up. Returns whether all is right. */
const play = (placed: ReadonlyArray<Timeline.Placed>, start: number, timeline: ReturnType<typeof Timeline.make>) =>
  Effect.gen(function*() {
    const baseUrl = yield* Service.address
    const done: Array<Done> = []
    const during = yield* Effect.scoped(Effect.gen(function*() {
      yield* timeline.follow(placed)
      const away = yield* Effect.fork(outage(timeline.banner))
      yield* Actors.run({
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
  })

const next = `
  To try next:
    npm run demo -- --keep    the same, left running, with addresses to open
    npm run simulator         a Plane to try plane-sync at, with five work items
    npm run build && node dist/main.js --help
    README.md                 in an orchestrator of your own, or alone
`

/** Says what can be done with what is left running, and waits for Ctrl-C. */
const keep = (placed: ReadonlyArray<Timeline.Placed>) =>
  Effect.gen(function*() {
    const { project, token, url, workspace } = yield* PlaneSimulator
    const service = yield* Service.address
    const item = placed[0]?.item.id ?? ""
    yield* Console.log(`  All of it keeps running until Ctrl-C. To open:
    ${service}/health
    ${service}/docs
    ${service}/api/work-items/ET-2
    ${service}/api/tasks/ET-2

  To publish one more event:
    curl -s ${service}/api/events \\
      -H 'content-type: application/json' -d '{"type":"quality_gate_failed",
      "workItem":"ET-2","stage":"deploy","check":"smoke","reason":"404"}'

  To see ET-2's comments in the simulated Plane:
    P=${url}/api/v1/workspaces/${workspace}
    P=$P/projects/${project.id}
    curl -s $P/work-items/${item}/comments/ \\
      -H 'X-API-Key: ${token}'
`)
    return yield* Effect.never
  })

const demo = Effect.gen(function*() {
  const directory = yield* Service.makeDirectory
  const bounded = yield* Deferred.make<boolean>()

  const whole = Effect.gen(function*() {
    yield* Console.log(Look.dim("Warming up: code that runs for the first time is slow."))
    yield* warmUp
    const placed = yield* prepare
    const start = yield* Clock.currentTimeMillis
    const timeline = Timeline.make(start)
    yield* Effect.gen(function*() {
      const baseUrl = yield* Service.address
      const plane = yield* PlaneSimulator
      yield* plane.registerWebhook({ url: `${baseUrl}/webhooks/plane`, secret: Service.secrets.plane })
      yield* introduce(baseUrl, directory)
      const right = yield* play(placed, start, timeline)
      yield* Deferred.succeed(bounded, right)
      yield* Console.log(next)
      if (isKept) return yield* keep(placed)
    }).pipe(Effect.provide(Service.layer({ directory, logger: timeline.logger })))
    return yield* bounded
  })
  const tooSlow = Effect.timeoutFail(Deferred.await(bounded), { duration: mostOfAll, onTimeout: () => new TooSlow() })
  return yield* Effect.raceFirst(whole, Effect.zipRight(tooSlow, Effect.never))
})

demo.pipe(
  Effect.scoped,
  Effect.provide(Layer.mergeAll(PlaneSimulator.layer(planeOptions), NodeFileSystem.layer, NodeHttpClient.layer)),
  Effect.filterOrFail((right) => right, () => new Wrong()),
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
