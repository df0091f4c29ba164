import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { connect } from "node:net"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { request, withPlane } from "../http/Server.js"
import { selfSigned } from "./Certificate.js"
import { examineHere, says } from "./Examined.js"
import { before, listening } from "./Planes.js"

const address = "Plane's address"
const setting = "ORCH_PLANE_API_URL"

/** That nothing more was asked of a Plane that is not reached. */
const skipsTheRest = (seen: Effect.Effect.Success<ReturnType<typeof examineHere>>) => {
  assert.strictEqual(seen.code, 1)
  for (const name of ["API token", "rate limit", "clock", "Plane's version"]) {
    says(seen, name, "skipped", "Plane is not reached")
  }
  assert.isAtMost(seen.report.requests, 2)
}

describe("the check of Plane's address", () => {
  it.live("knows a port where nobody listens, and a name that nobody knows", () =>
    Effect.gen(function*() {
      const refused = yield* examineHere({ [setting]: "http://127.0.0.1:1" })
      says(refused, address, "failed", "nothing listens at 127.0.0.1:1", `check ${setting}`)
      skipsTheRest(refused)
      const unknown = yield* examineHere({ [setting]: "http://plane.invalid" })
      says(unknown, address, "failed", /DNS/, `check ${setting}`)
    }).pipe(Effect.scoped, withPlane))

  it.live("knows an expired certificate, and one of an authority of one's own", () =>
    Effect.gen(function*() {
      const expired = yield* listening((_, response) => response.end(), selfSigned(new Date("2021-01-01")))
      says(
        yield* examineHere({ [setting]: `https://${expired}` }),
        address,
        "failed",
        `the certificate of ${expired} has expired`,
        "renew it there"
      )
      const own = yield* listening((_, response) => response.end(), selfSigned(new Date("2100-01-01")))
      const seen = yield* examineHere({ [setting]: `https://${own}` })
      says(seen, address, "failed", "signed by an authority that this machine does not know", "NODE_EXTRA_CA_CERTS=")
      skipsTheRest(seen)
    }).pipe(Effect.scoped, withPlane))

  it.live("knows http at a port of https, and the reverse", () =>
    Effect.gen(function*() {
      const secure = yield* listening((_, response) => response.end(), selfSigned(new Date("2100-01-01")))
      says(
        yield* examineHere({ [setting]: `http://${secure}` }),
        address,
        "failed",
        /https/,
        new RegExp(setting)
      )
      const { url } = yield* PlaneSimulator
      says(
        yield* examineHere({ [setting]: url.replace("http:", "https:") }),
        address,
        "failed",
        "this port speaks plain http",
        `set ${setting} to ${url}`
      )
    }).pipe(Effect.scoped, withPlane))

  it.live("knows a sign-in page, a redirect, and what is no Plane", () =>
    Effect.gen(function*() {
      const page = { status: 200, body: "<!doctype html><form><input type=\"password\">" }
      const everywhere = yield* before({ instead: () => page })
      const seen = yield* examineHere({ [setting]: everywhere })
      says(seen, address, "failed", "a sign-in page stands before Plane's API", /let \/api\/v1\/ through/)
      skipsTheRest(seen)
      const moved = yield* before({
        instead: (url) => ({ status: 301, body: "", headers: { location: `https://plane.example.test${url}` } })
      })
      says(
        yield* examineHere({ [setting]: moved }),
        address,
        "failed",
        "Plane's API has another address",
        `set ${setting} to https://plane.example.test`
      )
      const other = yield* before({ instead: () => ({ status: 404, body: "nothing here" }) })
      says(yield* examineHere({ [setting]: other }), address, "failed", /./, setting)
      says(yield* examineHere({ ORCH_PLANE_API_TOKEN: "", [setting]: other }), address, "failed", /404/)
    }).pipe(Effect.scoped, withPlane))

  it.live("takes a Plane that does not say what it is", () =>
    Effect.gen(function*() {
      for (const body of ["<html>the web app</html>", `{"error": "Page not found."}`]) {
        const url = yield* before({
          instead: (path) => path === "/api/instances/" ? { status: 404, body } : undefined
        })
        const seen = yield* examineHere({ [setting]: url })
        says(seen, address, "passed", `${url} answers`)
        says(seen, "Plane's version", "passed", "a Plane that does not tell its version")
        assert.deepStrictEqual(seen.trouble, [])
      }
    }).pipe(Effect.scoped, withPlane))

  it.live("knows a proxy of the environment that is not reached, and names one that is passed", () =>
    Effect.gen(function*() {
      const gone = { HTTP_PROXY: "http://user:hunter2@127.0.0.1:1", [setting]: "http://plane.example.test" }
      const seen = yield* examineHere(gone)
      says(
        seen,
        address,
        "failed",
        "the proxy 127.0.0.1:1 is not reached",
        "check HTTPS_PROXY, HTTP_PROXY and NO_PROXY"
      )
      assert.notInclude(JSON.stringify(seen.report), "hunter2")
      const { url } = yield* PlaneSimulator
      const proxy = yield* listeningProxy(new URL(url).port)
      const passed = yield* examineHere({ HTTP_PROXY: `http://${proxy}`, [setting]: "http://plane.example.test" })
      says(passed, address, "passed", `http://plane.example.test answers, by the proxy ${proxy}`)
      says(
        yield* examineHere({ HTTP_PROXY: "ftp://x" }),
        "settings",
        "failed",
        "HTTP_PROXY: it is not a proxy's address"
      )
    }).pipe(Effect.scoped, withPlane))
})

/** A proxy that leads every name to one port of this machine. */
const listeningProxy = (port: string) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(async () => {
        const { createServer } = await import("node:http")
        const server = createServer()
        server.on("connect", (_, socket) => {
          const to = connect(Number(port), "127.0.0.1", () => {
            socket.write("HTTP/1.1 200 OK\r\n\r\n")
            to.pipe(socket)
            socket.pipe(to)
          })
          to.on("error", () => socket.destroy())
          socket.on("error", () => to.destroy())
        })
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
        return server
      }),
      (server) => Effect.sync(() => server.close())
    ),
    (server) => {
      const address = server.address()
      return `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`
    }
  )

describe("the checks of the API token and the project", () => {
  it.live("know a token that is missing, wrong or revoked", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const unset = yield* examineHere({ ORCH_PLANE_API_TOKEN: "" })
      says(unset, "API token", "failed", "ORCH_PLANE_API_TOKEN is not set", "set ORCH_PLANE_API_TOKEN")
      says(unset, address, "passed", "answers")
      says(unset, "project ET", "skipped", "as said above")
      const good = yield* examineHere()
      says(good, "API token", "passed", `of the user ${plane.bot.name}`)
      yield* plane.revokeToken
      const revoked = yield* examineHere()
      says(revoked, "API token", "failed", "Plane does not take the API token", "check ORCH_PLANE_API_TOKEN")
      says(revoked, "project ET", "skipped", "as said above")
      assert.notInclude(JSON.stringify(revoked.report), plane.token)
      assert.isAtMost(revoked.report.requests, 2)
    }).pipe(Effect.scoped, withPlane))

  it.live("skip whose the token is where Plane does not tell", () =>
    Effect.gen(function*() {
      const url = yield* before({
        instead: (path) =>
          path.startsWith("/api/v1/users/me/")
            ? { status: 404, body: `{"error": "Page not found."}`, headers: { "content-type": "application/json" } }
            : undefined
      })
      const seen = yield* examineHere({ [setting]: url })
      says(seen, "API token", "skipped", "does not tell whose an API token is")
      says(seen, "project ET", "passed", "may be written to")
    }).pipe(Effect.scoped, withPlane))

  it.live("know a guest, who is no member, an archived project, and wrong names", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      yield* plane.setRole("guest")
      says(yield* examineHere(), "project ET", "failed", "is a guest in the project ET", /make it a member in Plane/)
      yield* plane.setRole("admin")
      says(yield* examineHere(), "project ET", "passed", "is an admin of it")
      yield* plane.leaveProject()
      says(yield* examineHere(), "project ET", "failed", "is not a member of the project ET", "make it one in Plane")
      yield* plane.joinProject()
      yield* plane.archiveProject()
      const archived = yield* examineHere()
      says(archived, "project ET", "failed", "the project is archived in Plane", "restore it there")
      says(archived, "stages of ET", "skipped", "cannot be asked")
      yield* plane.restoreProject()
      for (
        const [name, value] of [
          ["ORCH_PLANE_WORKSPACE_SLUG", "elsewhere"],
          ["ORCH_PLANE_PROJECT_ID", "00000000-0000-4000-8000-000000000000"],
          ["ORCH_PLANE_PROJECT_IDENTIFIER", "XX"]
        ] as const
      ) {
        const project = `project ${name === "ORCH_PLANE_PROJECT_IDENTIFIER" ? value : "ET"}`
        says(yield* examineHere({ [name]: value }), project, "failed", /./, name)
      }
    }).pipe(Effect.scoped, withPlane))

  it.live("know stages whose state is not there, and say which states are", () =>
    Effect.gen(function*() {
      const states = JSON.stringify({ done: "00000000-0000-4000-8000-000000000000" })
      says(
        yield* examineHere({ ORCH_PLANE_STAGE_STATES: states }),
        "stages of ET",
        "failed",
        `the project ET has no state 00000000-0000-4000-8000-000000000000 (stage "done")`,
        /set ORCH_PLANE_STAGE_STATES to states that it has: "Backlog" \(backlog, 113b24f6/
      )
    }).pipe(Effect.scoped, withPlane))
})

describe("the checks of Plane's answers", () => {
  it.live("know a limit that is lower than the setting, and one that is higher", () =>
    Effect.gen(function*() {
      const seen = yield* examineHere()
      says(
        seen,
        "rate limit",
        "warned",
        /Plane left 30\/minute .* ORCH_PLANE_RATE_LIMIT is 60\/minute: .* API_KEY_RATE_LIMIT is lower/,
        "set ORCH_PLANE_RATE_LIMIT=30/minute"
      )
      says(yield* examineHere({ ORCH_PLANE_RATE_LIMIT: "20/minute" }), "rate limit", "passed", "it could be more")
    }).pipe(Effect.scoped, Effect.provide(PlaneSimulator.layer({ rateLimit: { limit: 30, windowMillis: 60_000 } }))))

  it.live("know that others use the API token, and do not wait when it is used up", () =>
    Effect.gen(function*() {
      const { token, url } = yield* PlaneSimulator
      const use = request(`${url}/api/v1/users/me/`, { headers: { "x-api-key": token } })
      yield* Effect.repeatN(use, 39)
      says(yield* examineHere(), "rate limit", "warned", "others use this API token", "an API token of its own")
      yield* Effect.repeatN(use, 59)
      const full = yield* examineHere()
      says(full, "API token", "warned", "rate limit for this API token is used up", "try again in a minute")
      says(full, "project ET", "skipped", /./)
      assert.strictEqual(full.code, 0)
    }).pipe(Effect.scoped, withPlane))

  it.live("know that a limit is not told", () =>
    Effect.gen(function*() {
      const url = yield* before({ headers: () => ({ "x-ratelimit-remaining": undefined }) })
      says(yield* examineHere({ [setting]: url }), "rate limit", "skipped", "do not tell a rate limit")
    }).pipe(Effect.scoped, withPlane))

  it.live("know a clock that is wrong by more than 30 s, either way", () =>
    Effect.gen(function*() {
      for (
        const [seconds, result, words] of [
          [-90, "warned", /our clock is 1m (29|30|31)s ahead of Plane's/],
          [3_600, "warned", /our clock is (1h|59m 59s) behind Plane's/],
          [20, "passed", /differ by (19|20|21)s/]
        ] as const
      ) {
        const url = yield* before({
          headers: ({ date }) => ({ date: new Date(Date.parse(String(date)) + seconds * 1_000).toUTCString() })
        })
        says(yield* examineHere({ [setting]: url }), "clock", result, words, result === "warned" ? "NTP" : undefined)
      }
    }).pipe(Effect.scoped, withPlane))

  it.live("know what an old version lacks", () =>
    Effect.gen(function*() {
      says(
        yield* examineHere(),
        "Plane's version",
        "warned",
        /Plane 0\.27\.1 .* paths are \/issues\/, and it has no search, .* do not tell of what plane-sync writes/,
        "update Plane"
      )
    }).pipe(Effect.scoped, Effect.provide(PlaneSimulator.layer({ plane: "0.27" }))))

  it.live("know whom a task that waits reaches without a notice, by what Plane mails", () =>
    Effect.gen(function*() {
      const is = (version: string) => ({
        instead: (url: string) =>
          url.startsWith("/api/instances/")
            ? {
              status: 200,
              body: JSON.stringify({ instance: { current_version: version, edition: "PLANE_COMMUNITY" } })
            }
            : undefined
      })
      const reached = (version: string, settings: Readonly<Record<string, string>> = {}) =>
        Effect.flatMap(before(is(version)), (url) => examineHere({ [setting]: url, ...settings }))
      const asksOlga = { ORCH_ATTENTION: "olga@plane.test" }
      const why = (words: string) => `ORCH_NOTICE_URL is not set: Plane ${words}`
      says(yield* reached("v1.3.1", asksOlga), "notices", "skipped", why("v1.3.1 mails nobody, so nobody is reached"))
      says(
        yield* reached("v1.4.0", asksOlga),
        "notices",
        "skipped",
        why("v1.4.0 mails who is assigned when a task waits, and")
      )
      says(yield* reached("v1.4.0"), "notices", "skipped", /but ORCH_ATTENTION names nobody, so nobody is reached$/)
      const unknown = yield* before({
        instead: (url) => url.startsWith("/api/instances/") ? { status: 404, body: "no" } : undefined
      })
      says(
        yield* examineHere({ [setting]: unknown }),
        "notices",
        "skipped",
        why("before 1.4 mails nobody, so with such a")
      )
    }).pipe(Effect.scoped, withPlane))
})
