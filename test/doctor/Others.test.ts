import { assert, describe, it } from "@effect/vitest"
import Database from "better-sqlite3"
import { Effect, Fiber, TestClock } from "effect"
import { createHash } from "node:crypto"
import { linkSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { makeCheckup } from "../../src/doctor/Checkup.js"
import { judgeSpace } from "../../src/doctor/FileChecks.js"
import { found, Passed } from "../../src/doctor/Finding.js"
import { migrations } from "../../src/Schema.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { Storage } from "../../src/StorageLayers.js"
import { mountSmall } from "../faults/Disk.js"
import { fakeGitea } from "../gitea/FakeGitea.js"
import { folder, served, withPlane } from "../http/Server.js"
import { deliver, signature } from "../webhooks/Sender.js"
import { examine, examineHere, says, settingsHere } from "./Examined.js"

/** A database as a plane-sync that has ended leaves it. */
const ended = Effect.tap(
  settingsHere,
  ({ ORCH_DATABASE_URL }) => Effect.provide(Effect.void, Storage.layerFile(ORCH_DATABASE_URL))
)

/** What is in the folder of a file, and the file's content. */
const picture = (file: string) => ({
  names: readdirSync(dirname(file)),
  content: createHash("sha256").update(readFileSync(file)).digest("hex")
})

const changed = (file: string, statement: string) => {
  const database = new Database(file)
  database.exec(statement)
  database.close()
}

describe("the checks of the database", () => {
  it.live("read a file of a plane-sync that has ended, and leave it as it is", () =>
    Effect.gen(function*() {
      const settings = yield* ended
      const file = settings.ORCH_DATABASE_URL
      const before = picture(file)
      const seen = yield* examine(settings)
      says(seen, "database", "passed", `${file}, `)
      says(seen, "database", "passed", `its tables are of version ${Object.keys(migrations).length}`)
      says(seen, "integrity", "passed", "the file is whole")
      says(seen, "who sends", "warned", "no process sends", "plane-sync serve")
      assert.deepStrictEqual(picture(file), before)
    }).pipe(Effect.scoped, withPlane))

  it.live("say who sends, beside it", () =>
    Effect.gen(function*() {
      const settings = yield* settingsHere
      const url = yield* served(settings)
      const seen = yield* examine({ ...settings, ORCH_PORT: new URL(url).port })
      says(seen, "who sends", "passed", `process ${process.pid} on `)
      says(seen, "integrity", "passed", "the file is whole")
      says(seen, "rate limit", "passed", /./)
      assert.deepStrictEqual(seen.trouble, [])
    }).pipe(Effect.scoped, withPlane))

  it.live("know an older and a newer version of the tables", () =>
    Effect.gen(function*() {
      const settings = yield* ended
      const file = settings.ORCH_DATABASE_URL
      const known = Object.keys(migrations).length
      changed(file, `DELETE FROM plane_sync_migrations WHERE migration_id = ${known}`)
      says(yield* examine(settings), "database", "passed", `are brought to ${known} by the next start`)
      changed(file, `INSERT INTO plane_sync_migrations (migration_id, name) VALUES (999, 'later')`)
      says(yield* examine(settings), "database", "failed", "its tables are of version 999", "run the newer version")
    }).pipe(Effect.scoped, withPlane))

  it.live("know what is no database of plane-sync", () =>
    Effect.gen(function*() {
      const here = yield* folder
      const of = (name: string) => examineHere({ ORCH_DATABASE_URL: `${here}/${name}` })
      changed(`${here}/other.sqlite`, "CREATE TABLE customers (id INTEGER)")
      says(yield* of("other.sqlite"), "database", "failed", "the tables of another program: customers", "another file")
      writeFileSync(`${here}/empty.sqlite`, "")
      says(yield* of("empty.sqlite"), "database", "failed", "the file is empty", "another file")
      writeFileSync(`${here}/text.sqlite`, "no database at all, but a text that is long enough for a header".repeat(9))
      says(yield* of("text.sqlite"), "database", "failed", "file is not a database", "another file")
      mkdirSync(`${here}/folder.sqlite`)
      says(yield* of("folder.sqlite"), "database", "failed", "it is a folder", "another file")
      linkSync(`${here}/other.sqlite`, `${here}/linked.sqlite`)
      says(yield* of("linked.sqlite"), "database", "failed", "a hard link", "remove the other name")
      const nowhere = yield* examineHere({ ORCH_DATABASE_URL: "/dev/null/x.sqlite" })
      says(nowhere, "database", "failed", "because /dev/null is no folder", "set ORCH_DATABASE_URL")
      says(nowhere, "integrity", "skipped", "no database that can be read")
      assert.deepStrictEqual(readdirSync(here).sort(), [
        "empty.sqlite",
        "folder.sqlite",
        "linked.sqlite",
        "other.sqlite",
        "text.sqlite"
      ])
    }).pipe(Effect.scoped, withPlane))

  it.live("know a disk that is nearly full", () =>
    Effect.gen(function*() {
      const mib = 2 ** 20
      assert.deepStrictEqual([8, 100, 1_000].map((free) => judgeSpace(free * mib, "/srv")._tag), [
        "Failed",
        "Warned",
        "Passed"
      ])
      const here = yield* folder
      // Not every user may mount a disk.
      if (!(yield* mountSmall(here))) return
      const seen = yield* examineHere({ ORCH_DATABASE_URL: `${here}/plane-sync.sqlite` })
      says(seen, "free space", "failed", /^8\.0 MiB are free in /, "make room there")
    }).pipe(Effect.scoped, withPlane))

  it.live("know a file that can be read, and is not whole", () =>
    Effect.gen(function*() {
      const settings = yield* ended
      const file = settings.ORCH_DATABASE_URL
      const content = readFileSync(file)
      // The header counts pages that nothing needs, and there are none.
      content.writeUInt32BE(content.readUInt32BE(36) + 5, 36)
      writeFileSync(file, content)
      const seen = yield* examine(settings)
      says(seen, "database", "passed", "its tables are of version")
      says(seen, "integrity", "failed", /plane-sync\.sqlite: .*[Ff]reelist/, "restore a backup, as docs/setup.md says")
      assert.deepStrictEqual([seen.code, seen.trouble.map(({ name }) => name)], [1, ["integrity", "who sends"]])
    }).pipe(Effect.scoped, withPlane))

  it.live("know a file that is damaged, or cut", () =>
    Effect.gen(function*() {
      const settings = yield* ended
      const file = settings.ORCH_DATABASE_URL
      const whole = readFileSync(file)
      const damaged = Buffer.from(whole)
      damaged.fill(0x5a, whole.length - 4096)
      // Whether SQLite can read anything at all depends on the page; the file is found to be damaged in any case.
      for (const content of [damaged, whole.subarray(0, whole.length / 2)]) {
        writeFileSync(file, content)
        const { code, trouble } = yield* examine(settings)
        assert.strictEqual(code, 1)
        assert.isTrue(trouble.some(({ mend, name, result }) =>
          (name === "integrity" || name === "database") && result === "failed" &&
          mend?.includes("restore a backup") === true
        ))
      }
    }).pipe(Effect.scoped, withPlane))
})

describe("the checks of webhooks", () => {
  const secret = "plane_wh_0123456789abcdef"

  it.live("say where one is switched on that was never heard, and that a private address must be allowed", () =>
    Effect.gen(function*() {
      const { url } = yield* PlaneSimulator
      const seen = yield* examineHere({ ORCH_PLANE_WEBHOOK_SECRET: secret, ORCH_GITEA_WEBHOOK_SECRET: "s" })
      says(
        seen,
        "Plane's webhooks",
        "warned",
        "none came to /webhooks/plane in the last 7 days",
        `${url}/ag_proj/settings/webhooks/`
      )
      says(seen, "Plane's webhooks", "warned", /./, "WEBHOOK_ALLOWED_HOSTS")
      says(seen, "Gitea's webhooks", "warned", "none came to /webhooks/gitea", "/webhooks/gitea")
      says(
        yield* examineHere({ ORCH_PLANE_WEBHOOK_SECRET: secret, ORCH_PLANE_WEBHOOK_SECRET_PREVIOUS: "old" }),
        "Plane's webhooks",
        "warned",
        "ORCH_PLANE_WEBHOOK_SECRET_PREVIOUS is still set",
        "remove ORCH_PLANE_WEBHOOK_SECRET_PREVIOUS"
      )
      says(
        yield* examineHere({ ORCH_WEBHOOKS_INSECURE: "true" }),
        "Plane's webhooks",
        "warned",
        "those of anybody are taken",
        "set ORCH_PLANE_WEBHOOK_SECRET"
      )
    }).pipe(Effect.scoped, withPlane))

  it.live("say when the sender was last heard, and why it was refused", () =>
    Effect.gen(function*() {
      const settings = { ...(yield* settingsHere), ORCH_PLANE_WEBHOOK_SECRET: secret }
      const url = yield* served(settings)
      const beside = { ...settings, ORCH_PORT: new URL(url).port }
      const body = JSON.stringify({ event: "project", action: "updated" })
      yield* deliver(url, "plane", body, { signature: signature("plane", body, secret) })
      says(yield* examine(beside), "Plane's webhooks", "passed", /the last one came at \d{4}-/)
      // The file tells as much without the running program.
      says(yield* examine(settings), "Plane's webhooks", "passed", /the last one came at \d{4}-/)
      yield* deliver(url, "plane", body, { signature: signature("plane", body, "plane_wh_other") })
      const refused = yield* examine(beside)
      says(
        refused,
        "Plane's webhooks",
        "failed",
        "its signature is not that of ORCH_PLANE_WEBHOOK_SECRET",
        "the secret of ORCH_PLANE_WEBHOOK_SECRET, whole"
      )
      assert.notInclude(JSON.stringify(refused.report), secret)
    }).pipe(Effect.scoped, withPlane))
})

describe("the check of Gitea", () => {
  const gitea = (more: Readonly<Record<string, string>> = {}) =>
    Effect.gen(function*() {
      const forge = yield* fakeGitea
      forge.answers.set("/api/v1/user", { login: "ci-bot" })
      forge.answers.set("/api/v1/repos/acme/widgets", { id: 1, full_name: "acme/widgets", default_branch: "main" })
      const settings = {
        ...(yield* settingsHere),
        ORCH_GITEA_URL: forge.url,
        ORCH_GITEA_TOKEN: forge.token,
        ORCH_GITEA_REPOSITORIES: "acme/widgets, acme/app-*",
        ...more
      }
      return { forge, settings }
    })

  it.live("says its version, whose the token is, and what protects the branch of a named repository", () =>
    Effect.gen(function*() {
      const { forge, settings } = yield* gitea()
      const seen = yield* examine(settings)
      says(seen, "Gitea", "passed", `${forge.url} is Gitea 1.22.0; the token is of the user ci-bot`)
      says(
        seen,
        "Gitea",
        "warned",
        "acme/widgets: main is not protected",
        "protect main in the settings of acme/widgets"
      )
      assert.strictEqual(seen.of("Gitea").length, 2)
      forge.answers.set("/api/v1/repos/acme/widgets/branches/main", {
        name: "main",
        protected: true,
        required_approvals: 2,
        enable_status_check: true,
        status_check_contexts: ["ci/build"]
      })
      says(yield* examine(settings), "Gitea", "passed", "demands the checks ci/build and 2 approvals")
      forge.statuses.set("/api/v1/user", 403)
      says(yield* examine(settings), "Gitea", "passed", "it may not tell whose the token is")
      forge.refused.add("/api/v1/repos/acme/widgets")
      says(yield* examine(settings), "Gitea", "failed", "there is no acme/widgets", "ORCH_GITEA_REPOSITORIES")
    }).pipe(Effect.scoped, withPlane))

  it.live("knows a wrong token, a wrong address, and one without the other", () =>
    Effect.gen(function*() {
      const { settings } = yield* gitea({ ORCH_GITEA_TOKEN: "0000" })
      says(yield* examine(settings), "Gitea", "failed", "it refuses ORCH_GITEA_TOKEN", "set ORCH_GITEA_TOKEN")
      says(
        yield* examine({ ...settings, ORCH_GITEA_URL: "http://127.0.0.1:1" }),
        "Gitea",
        "failed",
        "nothing listens at 127.0.0.1:1",
        "check ORCH_GITEA_URL"
      )
      const half = yield* examine({ ...settings, ORCH_GITEA_URL: "" })
      says(half, "settings", "failed", "ORCH_GITEA_URL: it is not set, but ORCH_GITEA_TOKEN is")
      says(half, "Gitea", "skipped", "a setting that it needs is wrong")
    }).pipe(Effect.scoped, withPlane))
})

describe("all checks together", () => {
  it.effect("end within 60 seconds, whatever does not answer", () =>
    Effect.gen(function*() {
      const { check, checked } = yield* makeCheckup
      const all = yield* Effect.fork(Effect.zipRight(
        check("silent", Effect.never),
        check("later", Effect.sync(() => found(Passed({ seen: "it was made" }))))
      ))
      yield* TestClock.adjust("59 seconds")
      assert.deepStrictEqual(checked(), [])
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(all)
      assert.deepStrictEqual(checked().map(({ finding, name }) => [name, finding._tag]), [
        ["silent", "Failed"],
        ["later", "Skipped"]
      ])
    }))
})
