import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import { Context, Effect, ExecutionStrategy, Exit, Layer, Scope } from "effect"
import type { WebhookRequest } from "../../src/simulator/PlaneSimulator.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { folder, request, served } from "../http/Server.js"
import { deliver, secrets } from "../webhooks/Sender.js"
import type { Group, Rules } from "./Expectation.js"
import { stages } from "./Expectation.js"
import { numbers } from "./History.js"
import type { JumpingClock } from "./JumpingClock.js"
import type { TaskSeen } from "./Ledger.js"
import type { World } from "./World.js"
import { repositories } from "./World.js"

const stateNames: Readonly<Record<Group, string>> = {
  backlog: "Backlog",
  unstarted: "Todo",
  started: "In Progress",
  completed: "Done",
  cancelled: "Cancelled"
}

const settingsOf = (rules: Rules, gitea: { readonly url: string; readonly token: string }) => ({
  ...(rules.token ? { ORCH_GITEA_URL: gitea.url, ORCH_GITEA_TOKEN: gitea.token } : {}),
  ORCH_GITEA_REQUIRED_CHECKS: rules.checks.join(", "),
  ORCH_GITEA_REVIEWERS: rules.reviewers.join(", "),
  ORCH_GITEA_FORKS: String(rules.forks),
  ORCH_GITEA_BRANCHES: rules.releases ? "release/*" : "",
  ORCH_GITEA_REPOSITORIES: rules.second ? "" : repositories[0].name,
  ORCH_PLANE_RATE_LIMIT: "1000/second",
  // Agents that do nothing: with them, work items are looked at before each launch.
  ORCH_AGENT_COMMAND: "true",
  ORCH_PLANE_WEBHOOK_SECRET: secrets.plane,
  ORCH_GITEA_WEBHOOK_SECRET: secrets.gitea
})

/** A task, as the program answers. */
export interface TaskShown extends TaskSeen {
  readonly workItem: string
  readonly verdicts: ReadonlyArray<{ readonly gate: string; readonly verdict: string; readonly reason: string | null }>
}

/** A delivery that was made, and could be made again. */
export interface Sent {
  readonly source: "plane" | "gitea"
  readonly event: string
  readonly body: string
}

/** An event as it was published. */
interface EventTold {
  readonly type: string
  readonly workItem: string
  readonly from?: string
  readonly to?: string
}

/**
 * The program, its Plane and its forge, each on a socket, all by one clock. `wrong` is told what should not be,
 * whatever the history.
 */
export const makeProgram = (
  rules: Rules,
  world: World,
  { clock, jump, now }: JumpingClock,
  wrong: (words: string) => void
) =>
  Effect.gen(function*() {
    const fromPlane: Array<WebhookRequest> = []
    const plane = Context.get(
      yield* Layer.build(PlaneSimulator.layer({
        rateLimit: "off",
        webhook: {
          url: "http://kept.test/",
          secret: secrets.plane,
          send: (hook) =>
            Effect.sync(() => {
              fromPlane.push(hook)
              return 202
            })
        }
      })).pipe(Effect.withClock(clock)),
      PlaneSimulator
    )
    const items = new Map<number, string>()
    for (const number of numbers) {
      const item = yield* plane.addWorkItem({ name: `Climb ${"I".repeat(number)}`, number, state: "Todo" }).pipe(
        Effect.withClock(clock)
      )
      items.set(number, item.id)
    }
    const file = `${yield* folder}/events.sqlite`
    const start = Effect.gen(function*() {
      const scope = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.sequential)
      const url = yield* served({ ...settingsOf(rules, world), ORCH_DATABASE_URL: file }).pipe(
        Effect.provideService(PlaneSimulator, plane),
        Effect.withClock(clock),
        Scope.extend(scope)
      )
      return { url, close: Scope.close(scope, Exit.void) }
    })
    let program = yield* start
    const sql = Context.get(yield* Layer.build(SqliteClient.layer({ filename: file })), SqliteClient.SqliteClient)

    const sent: Array<Sent> = []
    let echoes = 0

    const send = (what: Sent) =>
      Effect.map(deliver(program.url, what.source, what.body, { event: what.event }), ({ status }) => {
        if (status !== 202) wrong(`a delivery of ${what.source} was answered ${status}`)
      })

    const deliverNow = (what: Sent, times = 1) =>
      Effect.zipRight(Effect.sync(() => sent.push(what)), Effect.replicateEffect(send(what), times))

    /** Plane's hooks come in the order of the changes, but some that tell our own changes come twice, or too late. */
    const lateEchoes: Array<Sent> = []
    const pump = Effect.gen(function*() {
      for (const { body, headers } of fromPlane.splice(0)) {
        const what: Sent = { source: "plane", event: headers["X-Plane-Event"] ?? "", body }
        const isEcho = body.includes(`"actor": {"id": "${plane.bot.id}"`)
        echoes += isEcho ? 1 : 0
        if (isEcho && echoes % 5 === 3) lateEchoes.push(what)
        else yield* deliverNow(what, isEcho && echoes % 7 === 5 ? 2 : 1)
      }
    })

    const isBusy = Effect.gen(function*() {
      const at = now()
      const [row] = yield* sql<{ n: number }>`SELECT
        (SELECT count(*) FROM plane_sync_webhook WHERE status = 'pending' AND due_at <= ${at})
        + (SELECT count(*) FROM plane_sync_task WHERE due_at <= ${at})
        + (SELECT count(*) FROM plane_sync_lane WHERE holder IS NOT NULL OR due_at <= ${at}) AS n`
      return row?.n !== 0 || world.asked().open > 0 || fromPlane.length > 0
    })

    const counts = Effect.map(plane.requests, (requests) => requests.length + world.asked().count)

    /** Waits until nothing is left to do now, which was so at several looks in a row. */
    const quiet = (looks: number, between: Effect.Effect<void>) =>
      Effect.gen(function*() {
        for (let inRow = 0, before = -1, tries = 0; inRow < looks; tries++) {
          yield* pump
          yield* between
          const count = yield* counts
          inRow = count === before && !(yield* isBusy) ? inRow + 1 : 0
          before = count
          if (tries > 3_000) return wrong("the program does not come to rest")
        }
      })

    // Whoever gathers hooks for a while need not do so in real time.
    const rest = quiet(2, Effect.delay(Effect.sync(() => jump(50)), "4 millis"))

    const shown = Effect.map(Effect.suspend(() => request(`${program.url}/api/tasks`)), ({ body, status }) => {
      if (status !== 200) wrong(`GET /api/tasks was answered ${status}`)
      const { tasks } = body as { readonly tasks: ReadonlyArray<TaskShown> }
      return new Map(tasks.map((task) => [task.workItem, task]))
    })

    /** Each stage is told once, in order, and each end. */
    const mistold = Effect.gen(function*() {
      const rows = yield* sql<{ body: string }>`SELECT body FROM plane_sync_event ORDER BY sequence`
      const events = rows.map(({ body }) => JSON.parse(body) as EventTold)
      return numbers.flatMap((number) => {
        const own = events.filter(({ type, workItem }) => type !== "quality_gate_failed" && workItem === `ET-${number}`)
        let at = 0
        return own.flatMap(({ from, to, type }) => {
          const told = type === "task_completed" ? "completed" : `${from ?? ""} → ${to ?? ""}`
          if (told === `${stages[0]} → ${stages[1]}`) at = 0
          const right = at === stages.length - 1 ? "completed" : `${stages[at] ?? ""} → ${stages[at + 1] ?? ""}`
          at += 1
          return told === right ? [] : [`ET-${number}: it was told "${told}", and right would be "${right}"`]
        })
      })
    })

    const post = (path: string, body: unknown) =>
      Effect.map(
        request(`${program.url}/api/tasks${path}`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(body)
        }),
        ({ status }) => {
          if (status !== 200) wrong(`POST /api/tasks${path} was answered ${status}`)
        }
      )

    return {
      rest,
      shown,
      mistold,
      post,
      /** Delivers it, and remembers that. */
      deliver: deliverNow,
      /**
       * Delivers again what was delivered before, counted from the last one of all, or of the moves of people. What
       * that was; none if there is none.
       */
      redeliver: (n: number, isMove: boolean) =>
        Effect.suspend(() => {
          const some = isMove ? sent.filter(({ body }) => body.includes(`"field": "state_id"`)) : sent
          const again = some.at(-1 - n % Math.max(1, some.length))
          return again === undefined ? Effect.succeed(undefined) : Effect.as(send(again), again)
        }),
      /** Time passes, in which everything asked is answered. */
      pass: (minutes: number) =>
        Effect.gen(function*() {
          for (let seconds = 0; seconds < minutes * 60; seconds += 20) {
            jump(20_000)
            // What was asked must be answered first: else a jump is a time-out.
            yield* quiet(2, Effect.sleep("3 millis"))
          }
          yield* rest
        }),
      restart: Effect.gen(function*() {
        yield* program.close
        program = yield* start
      }),
      /** A person moves a work item. Says whether it was in another state, and so there is a hook. */
      move: (number: number, to: Group) =>
        Effect.gen(function*() {
          const id = items.get(number) ?? ""
          if ((yield* plane.workItem(id)).state.name === stateNames[to]) return false
          yield* Effect.withClock(plane.moveWorkItem(id, stateNames[to]), clock)
          return true
        }),
      pump,
      /** The echoes that were kept back, the last first. */
      releaseEchoes: Effect.suspend(() => Effect.forEach(lateEchoes.splice(0).reverse(), (echo) => deliverNow(echo))),
      hasLateEchoes: () => lateEchoes.length > 0
    }
  })
