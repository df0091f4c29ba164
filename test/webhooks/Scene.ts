import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import { assert } from "@effect/vitest"
import { Context, Effect, Layer, Schedule } from "effect"
import { createHash } from "node:crypto"
import { epochMillis } from "../../src/base/Time.js"
import { folder, request, served } from "../http/Server.js"
import { changed } from "./Fixtures.js"
import type { DeliverOptions } from "./Sender.js"
import { deliver, secrets } from "./Sender.js"

/** States of the default project. */
export const states = {
  todo: { id: "2c7d3df3-9eb9-419b-92b7-d7d560bcdd10", group: "unstarted" },
  inProgress: { id: "b873d9eb-993c-48cd-97ac-99a9b1623967", group: "started" },
  done: { id: "381a2833-3c4e-4be5-bd0f-be84cb946ad8", group: "completed" },
  cancelled: { id: "b1cae7f9-961d-4889-a179-f3acea697d17", group: "cancelled" }
} as const

/** A work item that is in a state since `at` seconds. */
export interface Move {
  readonly id?: string
  readonly number: number
  readonly to: keyof typeof states
  readonly at: number
  readonly project?: string
}

export const uuid = (n: number) => `a0000000-0000-4000-8000-${String(n).padStart(12, "0")}`

const time = (at: number, digits: string) =>
  new Date(Date.UTC(2026, 9, 5, 8, 0, at)).toISOString().replace(/\.\d+Z$/, `${digits}Z`)

export const moveBody = ({ at, id, number, project, to }: Move) =>
  changed("plane/issue_updated_state", {
    data: {
      id: id ?? uuid(number),
      sequence_id: number,
      state: states[to],
      updated_at: time(at, ".250000"),
      ...(project === undefined ? {} : { project })
    }
  })

export const sha = (name: string) => createHash("sha1").update(name).digest("hex")

/** A pull request of the fixtures, about one work item. */
export interface Pull {
  readonly number: number
  readonly workItem: number
  readonly head: string
  readonly at?: number
  readonly change?: Readonly<Record<string, unknown>>
}

// After the start of every task, because what was merged before does not count.
const forgeBegan = Math.ceil(Date.now() / 1_000) * 1_000 + 3_600_000

const forgeTime = (at: number) => new Date(forgeBegan + at * 1_000).toISOString().replace(/\.\d+Z$/, "Z")

/** The body of a fixture about a pull request. */
export const pullBody = (name: string, { at = 0, change = {}, head, number, workItem }: Pull) => {
  const { head: headChange = {}, ...rest } = change as { readonly head?: object }
  return changed(`gitea/${name}`, {
    number,
    pull_request: {
      number,
      title: "North climb",
      body: "",
      created_at: forgeTime(0),
      updated_at: forgeTime(at),
      ...(name.endsWith("merged") && !name.endsWith("unmerged") ? { merged_at: forgeTime(at) } : {}),
      head: {
        label: `feature/et-${String(workItem).padStart(3, "0")}-climb`,
        ref: `feature/et-${workItem}`,
        sha: head,
        ...headChange
      },
      ...rest
    }
  })
}

export interface Check {
  readonly id: number
  readonly sha: string
  readonly state?: string
  readonly context?: string
  readonly description?: string
}

export const statusBody = ({ state = "success", ...check }: Check) =>
  changed("gitea/status_success", { state, ...check, commit: { id: check.sha } })

export interface TaskNow {
  readonly workItem: string
  readonly itemId: string | null
  readonly stage: string
  readonly status: string
  readonly pullRequest: number | null
}

/** A program that does not send. */
export const alone = { ORCH_PLANE_API_TOKEN: "" }

/** The real program, and what its database says. */
export const scene = (settings: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function*() {
    const file = settings["ORCH_DATABASE_URL"] ?? `${yield* folder}/events.sqlite`
    const url = yield* served({
      ORCH_PLANE_WEBHOOK_SECRET: secrets.plane,
      ORCH_GITEA_WEBHOOK_SECRET: secrets.gitea,
      ORCH_GITEA_REQUIRED_CHECKS: "build/tiles",
      // Agents that do nothing: what they would report is said by the tests.
      ORCH_AGENT_COMMAND: "true",
      ORCH_DATABASE_URL: file,
      ...settings
    })
    const sql = Context.get(yield* Layer.build(SqliteClient.layer({ filename: file })), SqliteClient.SqliteClient)

    const accepted = (source: "plane" | "gitea", body: string, options: DeliverOptions) =>
      Effect.map(deliver(url, source, body, options), ({ status }) => assert.strictEqual(status, 202))

    const task = (workItem: number) =>
      Effect.map(
        sql<TaskNow>`SELECT work_item AS "workItem", plane_id AS "itemId", stage, status, pull_request AS "pullRequest"
          FROM plane_sync_task WHERE canonical = ${`ET-${workItem}`}`,
        ([row]) => row
      )

    /** Waits until all that came was worked on and no task is to be asked about now. */
    const settled = Effect.repeat(
      Effect.flatMap(
        epochMillis,
        (now) =>
          sql<{ n: number }>`SELECT (SELECT count(*) FROM plane_sync_webhook WHERE status = 'pending' AND due_at = 0)
            + (SELECT count(*) FROM plane_sync_task WHERE due_at <= ${now}) AS n`
      ),
      { until: ([row]) => row?.n === 0, schedule: Schedule.spaced("10 millis") }
    ).pipe(Effect.timeout("60 seconds"))

    const reported = (workItem: number, stages: ReadonlyArray<string>) =>
      Effect.forEach(stages, (stage) =>
        Effect.map(
          request(`${url}/api/tasks/ET-${workItem}/report`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ stage, outcome: "passed" })
          }),
          ({ status }) => assert.strictEqual(status, 200)
        ), { discard: true })

    return {
      url,
      file,
      sql,
      plane: (body: string, options: DeliverOptions = {}) => accepted("plane", body, { event: "issue", ...options }),
      gitea: (event: string, body: string, options: DeliverOptions = {}) =>
        accepted("gitea", body, { event, ...options }),
      settled,
      task,
      /** Of a task that has been worked on until now. */
      stage: (workItem: number) =>
        Effect.zipRight(settled, Effect.map(task(workItem), (row) => `${row?.stage ?? "-"} ${row?.status ?? "-"}`)),
      /** An agent has passed the stages that only an agent decides. */
      reported: (workItem: number) => reported(workItem, ["analysis", "architecture"]),
      tested: (workItem: number) => reported(workItem, ["testing"]),
      /** What was published, in order. */
      events: Effect.map(
        sql<{ body: string }>`SELECT body FROM plane_sync_event ORDER BY sequence`,
        (rows) => rows.map(({ body }) => JSON.parse(body) as Readonly<Record<string, string>>)
      ),
      inbox: sql<{ status: string; reason: string | null }>`SELECT status, reason FROM plane_sync_webhook ORDER BY id`
    }
  })

/** A task at `development`, with nothing of Gitea. */
export const developed = (workItem: number, settings: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function*() {
    const at = yield* scene({ ...alone, ...settings })
    yield* at.plane(moveBody({ number: workItem, to: "inProgress", at: 1 }))
    yield* at.settled
    yield* at.reported(workItem)
    assert.strictEqual(yield* at.stage(workItem), "development active")
    return at
  })
