import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Array, Effect } from "effect"
import type { Figure, Row } from "../Figure.js"
import { Aim } from "../Figure.js"
import type { Kind } from "../Host.js"
import { Slice, startHost } from "../Host.js"
import { temporaryDatabase } from "../Pipelines.js"
import { workItems } from "../Publisher.js"
import { start } from "../SimulatorProcess.js"
import { slowDisk } from "../SlowDisk.js"
import { median } from "../Statistics.js"

const perSecond = 100
const measured = new Slice({ count: 3 * perSecond, perSecond })
const pairs = 5
// See Publish.ts.
const warming = new Slice({ count: 5_000, perSecond: 1_000 })

/** A Plane in a separate process, and the settings of a pipeline that sends to it so often. */
const planeSent = (rateLimit: string) =>
  Effect.gen(function*() {
    const { addWorkItem, token, url } = yield* start
    yield* Effect.forEach(Array.range(1, workItems), (n) => addWorkItem(`Task ${n}`), { discard: true })
    return { ORCH_PLANE_API_URL: url, ORCH_PLANE_API_TOKEN: token, ORCH_PLANE_RATE_LIMIT: rateLimit }
  })

/** How long a sync takes there, beside nothing else: the median. */
const syncMillis = (env: Readonly<Record<string, string>>) =>
  Effect.scoped(Effect.gen(function*() {
    const host = yield* startHost({ _tag: "BareSync", file: `${yield* temporaryDatabase}-bare` }, env)
    yield* host(measured)
    return (yield* host(measured)).p50
  }))

/** The medians of alternating slices of two hosts, one without a pipeline and one with it. */
const compared = (kind: Kind, env: Readonly<Record<string, string>>) =>
  Effect.scoped(Effect.gen(function*() {
    const without = yield* startHost({ _tag: "Bystander" }, env)
    const host = yield* startHost(kind, env)
    for (const each of [without, host]) {
      yield* each(warming)
      yield* each(measured)
    }
    const all = yield* Effect.forEach(
      Array.range(1, pairs),
      () => Effect.all({ without: without(measured), host: host(measured) })
    )
    const of = (pick: (pair: typeof all[0]) => number) => median(Array.map(all, pick))
    return {
      without: of(({ without }) => without.loop),
      loop: of(({ host }) => host.loop),
      publish: of(({ host }) => host.p99),
      taken: of(({ host }) => host.perSecond)
    }
  }))

const loopFigure = (name: string, { loop, without }: { readonly loop: number; readonly without: number }): Figure => ({
  row: `loop: ${name}`,
  value: loop,
  unit: "ms p99",
  aim: Aim.AtMost({ limit: 1.3 * without + 1 }),
  beside: { what: "a host without the pipeline", value: without },
  means: "how late the orchestrator's event loop is, at worst in a hundred, at 100 publishes a second"
})

/** What the pipeline costs the host's event loop, on disks that are slow. */
export const row: Row = {
  name: "loop",
  description: "how late a host's event loop is with and without the pipeline, on disks whose fsync takes 0, 5, 20 ms",
  onDemand: true,
  measure: Effect.gen(function*() {
    const env = yield* slowDisk
    const figures: Array<Figure> = []
    const settings = yield* planeSent("1/second")
    for (const millis of [0, 5, 20]) {
      const file = yield* temporaryDatabase
      const found = yield* compared({ _tag: "Pipeline", file, settings }, env(millis))
      const where = `fsync + ${millis} ms`
      const sync = yield* syncMillis(env(millis))
      figures.push(loopFigure(where, found), {
        row: `loop: publish, ${where}`,
        value: found.publish,
        unit: "ms p99",
        ...(millis === 5 ? { aim: Aim.AtMost({ limit: 2 * sync + 5 }) } : {}),
        beside: { what: "ms p50, a page written and synced", value: sync },
        means: "how long a publish takes there"
      }, {
        row: `loop: pace, ${where}`,
        value: found.taken,
        unit: "publishes/s",
        aim: Aim.AtLeast({ limit: 0.99 * perSecond }),
        means: "whether all 100 a second are taken"
      })
    }
    const burst = yield* planeSent("30/second")
    const file = yield* temporaryDatabase
    figures.push(
      loopFigure("30 requests at once", yield* compared({ _tag: "Pipeline", file, settings: burst }, env(0)))
    )
    return figures
  }).pipe(Effect.provide(NodeHttpClient.layer))
}
