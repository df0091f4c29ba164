import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Storage as StorageService } from "../../src/storage/Storage.js"
import { Storage } from "../../src/StorageLayers.js"
import { commandLine } from "../cli/CommandLine.js"
import { fieldsOf, folder, request, served, withPlane } from "./Server.js"

/**
 * A database with notices that were given up: that nobody is needed, that somebody is who is not any more, and one of
 * another version.
 */
const withDead = Effect.gen(function*() {
  const database = `${yield* folder}/events.sqlite`
  yield* Effect.flatMap(StorageService, ({ sql, write }) =>
    write(Effect.gen(function*() {
      yield* sql`INSERT INTO plane_sync_wait (id, task, work_item, entry, stage, reason, same, question, opened_at, state)
        VALUES (2, 2, 'ET-2', 'one', 'review', 'asked', '', 'May it go?', 1, 'answered')`
      const document = {
        type: "opened",
        id: "one:1:opened:0",
        wait: 1,
        workItem: "ET-2",
        stage: "review",
        reason: "asked",
        question: "May it go?",
        agent: null,
        why: null,
        by: null,
        reached: [],
        at: "2026-11-29T17:00:00.000Z"
      }
      for (
        const [wait, kind, body] of [
          [1, "withdrawn", JSON.stringify({ ...document, type: "withdrawn" })],
          [2, "opened", JSON.stringify({ ...document, wait: 2 })],
          [2, "answered", "{}"]
        ] as const
      ) {
        yield* sql`INSERT INTO plane_sync_notice (wait, kind, body, status, attempts, made_at, settled_at, reason)
          VALUES (${wait}, ${kind}, ${body}, 'dead', 15, 1, 1000, 'chat.example.com answered 404')`
      }
    }))).pipe(Effect.provide(Storage.layerFile(database)))
  return database
})

const act = (url: string, path: string) => request(`${url}/api/notices${path}`, { method: "POST" })

describe("notices that were given up", () => {
  it.live("are listed, retried and discarded by HTTP, and degrade the health until then", () =>
    Effect.gen(function*() {
      // Where nothing is sent: what is retried stays owed.
      const url = yield* served({ ORCH_DATABASE_URL: yield* withDead })
      const health = request(`${url}/health`)
      assert.containSubset((yield* health).body, { notices: { dead: 3 } })
      assert.match(JSON.stringify((yield* health).body), /3 notices were given up, .* plane-sync notices list says why/)

      const { body } = yield* request(`${url}/api/notices?limit=2`)
      assert.deepStrictEqual(body, {
        notices: [
          {
            id: 3,
            kind: "answered",
            notice: null,
            reason: "chat.example.com answered 404",
            host: null,
            attempts: 15,
            deadSince: "1970-01-01T00:00:01.000Z"
          },
          { ...(body as { notices: ReadonlyArray<object> }).notices[1] }
        ],
        nextCursor: 2
      })
      assert.containSubset((yield* request(`${url}/api/notices?cursor=2`)).body, {
        notices: [{ id: 1, kind: "withdrawn", notice: { workItem: "ET-2", question: "May it go?" } }],
        nextCursor: null
      })

      const over = yield* act(url, "/2/retry")
      assert.deepStrictEqual([over.status, over.body], [409, {
        error: "The notice 2 calls for what nobody is needed for any more: it cannot be retried, only discarded"
      }])
      assert.deepStrictEqual((yield* act(url, "/1/retry")).body, { retried: 1 })
      for (const what of ["retry", "discard"]) {
        const gone = yield* act(url, `/1/${what}`)
        assert.deepStrictEqual([gone.status, gone.body], [404, {
          error: "1 is not the id of a notice that was given up"
        }])
      }
      assert.deepStrictEqual((yield* act(url, "/2/discard")).body, { discarded: 1 })
      assert.deepStrictEqual((yield* act(url, "/retry")).body, { retried: 1 })
      assert.deepStrictEqual((yield* act(url, "/discard")).body, { discarded: 0 })
      assert.containSubset((yield* health).body, { notices: { dead: 0 } })

      const wrong = [yield* act(url, "/x/retry"), yield* request(`${url}/api/notices?limit=0`)]
      assert.deepStrictEqual(wrong.map((answer) => [answer.status, fieldsOf(answer)]), [[400, ["id"]], [400, [
        "limit"
      ]]])
    }).pipe(Effect.scoped, withPlane))

  it.scopedLive("are listed, retried and discarded by the command line", () =>
    Effect.gen(function*() {
      const database = yield* withDead
      const cli = commandLine({ ORCH_DATABASE_URL: database, ORCH_PORT: "1" })
      assert.deepStrictEqual((yield* cli("notices", "list", "--limit", "2")).out.split("\n"), [
        "id  dead since            work item  kind      about  attempts  reason",
        "3   1970-01-01T00:00:01Z  ?          answered  ?      15        chat.example.com answered 404",
        "2   1970-01-01T00:00:01Z  ET-2       opened    asked  15        chat.example.com answered 404"
      ])
      const settings = { ORCH_NOTICE_URL: "https://chat.example.com/T0/s3cret", ORCH_NOTICE_FORMAT: "slack" }
      const told = commandLine({ ORCH_DATABASE_URL: database, ORCH_PORT: "1", ...settings })
      const { out } = yield* told("notices", "list", "--json")
      assert.deepStrictEqual(
        out.split("\n").map((line): unknown => (JSON.parse(line) as { readonly host: unknown }).host),
        Array.from({ length: 3 }, () => "chat.example.com")
      )
      assert.notInclude(out, "s3cret")
      const wrong = [["retry"], ["retry", "1", "--all"], ["discard"], ["retry", "0"], ["list", "--limit", "0"]]
      for (const args of wrong) assert.strictEqual((yield* cli("notices", ...args)).code, 2, args.join(" "))
      const over = yield* cli("notices", "retry", "2")
      assert.deepStrictEqual([over.code, over.out], [1, ""])
      assert.include(over.err, "cannot be retried, only discarded")
      const unset = yield* cli("notices", "retry", "1")
      assert.deepStrictEqual([unset.code, unset.out], [0, "retried 1"])
      assert.include(unset.err, "ORCH_NOTICE_URL is not set here")
      assert.match(
        (yield* told("notices", "retry", "--all")).err,
        /^Nobody is sending from \S+: what was retried waits/
      )
      assert.strictEqual((yield* cli("notices", "discard", "--all")).out, "discarded 1")
      const empty = yield* cli("notices", "list")
      assert.deepStrictEqual([empty.code, empty.out], [0, ""])
      assert.include(empty.err, "No notice was given up in ")
      assert.strictEqual((yield* cli("notices", "retry", "2")).code, 1)
      assert.strictEqual((yield* cli("notices", "retry", "--all")).out, "retried 0")
    }))
})
