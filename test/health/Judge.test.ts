import { assert, describe, it } from "@effect/vitest"
import { Option } from "effect"
import { EpochMillis, utc } from "../../src/base/Time.js"
import { GiteaError } from "../../src/gitea/GiteaError.js"
import type { HealthFacts } from "../../src/health/HealthFacts.js"
import { judge } from "../../src/health/Judge.js"
import type { ProjectStatus } from "../../src/sending/PlaneSync.js"
import { StorageError } from "../../src/storage/StorageError.js"

const now = EpochMillis(1_000_000)
const secondsAgo = (seconds: number) => EpochMillis(now - seconds * 1000)

const refused = (words: string) =>
  new GiteaError({ reason: "KeyRefused", path: "repos/acme/widgets", token: "ORCH_GITEA_TOKEN", words })
const down = new GiteaError({
  reason: "Unreachable",
  path: "version",
  token: "ORCH_GITEA_TOKEN",
  words: "connect ECONNREFUSED"
})

const storageError = (words: string) => new StorageError({ reason: "Full", where: "x.sqlite", words })

const project = (status: Partial<ProjectStatus>): ProjectStatus => ({
  identifier: "ET",
  destination: { open: true },
  misfit: Option.none(),
  budget: { limit: 60, used: 0, waiting: 0, pausedUntil: Option.none() },
  ...status
})

/** The only project is like this. */
const one = (status: Partial<ProjectStatus>) => ({ projects: [project(status)] as const })

/** All goes well. */
const well: HealthFacts = {
  now,
  projects: [project({})],
  left: [],
  standby: undefined,
  elsewhere: [],
  replicas: [],
  integrity: undefined,
  outbox: { pending: 0, dead: 0, delivered: 0, discarded: 0, oldestAt: Option.none() },
  deadNotices: 0,
  readFailure: undefined,
  workerFailure: undefined,
  writeFailure: undefined,
  notStored: { count: 0, at: EpochMillis(0) },
  gitea: [],
  heard: ["plane", "gitea"],
  silent: [],
  hooks: {
    plane: { acceptedAt: Option.none(), refused: Option.none(), refusedSince: 0, skipped: [] },
    gitea: { acceptedAt: Option.none(), refused: Option.none(), refusedSince: 0, skipped: [] }
  }
}

const closed = (seconds: number) => ({
  open: false as const,
  since: utc(secondsAgo(seconds)),
  reason: "connection refused",
  notLookedAt: false,
  nextProbeAt: Option.none()
})
const unset = {
  ...closed(1),
  reason: "ORCH_PLANE_API_TOKEN is not set: events are kept, and nothing is sent to Plane",
  notLookedAt: true
}
const notLookedAt = { ...closed(1), reason: "Plane is not looked at yet", notLookedAt: true }
const wrongSecret = (source: "PLANE" | "GITEA"): HealthFacts["hooks"]["plane"] => ({
  acceptedAt: Option.some(utc(now)),
  refused: Option.some({ at: utc(secondsAgo(3)), why: `its signature is not that of ORCH_${source}_WEBHOOK_SECRET` }),
  refusedSince: 1,
  skipped: []
})
const hooks = { plane: wrongSecret("PLANE"), gitea: wrongSecret("GITEA") }
const mended = { ...hooks, plane: { ...hooks.plane, refusedSince: 0 } }
const dead = (count: number) => ({ outbox: { ...well.outbox, dead: count } })
const misfit = "The stage table is wrong"

const noToken = /^ORCH_PLANE_API_TOKEN is not set: events are kept, and nothing is sent to Plane$/
const away =
  /^connection refused\. Nothing has been sent to Plane since 1970-01-01T00:15:39.000Z: 0 events wait, and nothing is lost$/
const refusedBy = (source: string) =>
  new RegExp(
    `^The last webhook that was sent to /webhooks/${source} was refused: its signature is not that of ORCH_${source.toUpperCase()}_WEBHOOK_SECRET$`
  )
const wrongTable = /^The stage table is wrong$/
const standby = /^process 1 on elsewhere sends$/
const elsewhere = "process 1 on elsewhere sends"
const byReading = /reading/
const byWorkers = /working/
const byWriting = /writing/
const notStored = /^3 events could not be stored: only the log has what was lost, the latest just now$/

const rows: ReadonlyArray<readonly [string, Partial<HealthFacts>, ReadonlyArray<RegExp>]> = [
  ["all goes well", {}, []],
  ["a backlog, which is no alarm", {
    outbox: { ...well.outbox, pending: 9, oldestAt: Option.some(utc(EpochMillis(0))) }
  }, []],
  ["row 46: a dead letter", dead(1), [/^1 event is a dead letter, .*plane-sync dead list.* Retry or discard/]],
  ["row 46: dead letters", dead(9), [/^9 events are dead letters, .*plane-sync dead list.* Retry or discard/]],
  ["row 46: wrong secrets of both senders, one reason each", { hooks }, [refusedBy("plane"), refusedBy("gitea")]],
  ["row 46: several refused hooks, with their number", {
    hooks: { ...mended, gitea: { ...hooks.gitea, refusedSince: 12 } }
  }, [/^Each of the last 12 webhooks that was sent to \/webhooks\/gitea was refused: its signature is not that of /]],
  ["row 46: a good hook after the refused one", { hooks: mended }, [refusedBy("gitea")]],
  ["row 46: a sender whose secret is not set, which nobody listens to", { hooks, heard: ["plane"] }, [
    refusedBy("plane")
  ]],
  ["row 45: nobody has looked at Plane yet", one({ destination: notLookedAt }), [/^Plane is not looked at yet$/]],
  ["no token, for whose want Plane is closed", one({ destination: unset }), [noToken]],
  ["one of two projects away, with its name", {
    projects: [project({}), project({ identifier: "BT", destination: closed(61) })]
  }, [/^connection refused\. Nothing has been sent to Plane for BT since /]],
  ["both away for one reason, which is one reason, since the first", {
    projects: [project({ destination: closed(60) }), project({ identifier: "BT", destination: closed(61) })]
  }, [away]],
  ["two away for two reasons", {
    projects: [
      project({ destination: closed(60) }),
      project({ identifier: "BT", destination: { ...closed(61), reason: "archived" } })
    ]
  }, [/^connection refused\. .* for ET since /, /^archived\. .* for BT since /]],
  ["row 46: Plane away, at once", one({ destination: closed(0) }), [/^connection refused\. Nothing has been sent/]],
  ["row 46: Plane away, with the number of what waits", {
    ...one({ destination: closed(0) }),
    outbox: { ...well.outbox, pending: 1 }
  }, [/^connection refused\. .*: 1 event waits, and nothing is lost$/]],
  ["Plane away for longer", one({ destination: closed(61) }), [away]],
  ["a stage table that does not fit", one({ misfit: Option.some(misfit) }), [wrongTable]],
  ["row 26: a Gitea that refuses the token", { gitea: [refused("401")] }, [/ORCH_GITEA_TOKEN.*\(401\)$/]],
  ["row 26: several", { gitea: [refused("403"), refused("404")] }, [
    /ORCH_GITEA_TOKEN.*\(403\), and 1 more like this$/
  ]],
  ["row 26: a Gitea that is down", { gitea: [down] }, [/^Gitea does not answer \(connect ECONNREFUSED\)$/]],
  ["a project that is not set any more", { left: ["2 work items of the project BT wait"] }, [/^2 work items of .*BT/]],
  ["another leader", { standby: elsewhere }, [standby]],
  ["storage that cannot be read", { readFailure: storageError("reading") }, [byReading]],
  ["workers that cannot store", { workerFailure: storageError("working") }, [byWorkers]],
  ["a failed write", { writeFailure: { at: secondsAgo(299), error: storageError("writing") } }, [byWriting]],
  ["a failed write of long ago", { writeFailure: { at: secondsAgo(300), error: storageError("writing") } }, []],
  [
    "storage that fails in each way, which is one reason",
    {
      readFailure: storageError("reading"),
      workerFailure: storageError("working"),
      writeFailure: { at: now, error: storageError("writing") }
    },
    [byReading]
  ],
  [
    "storage that fails the workers and the writers",
    { workerFailure: storageError("working"), writeFailure: { at: now, error: storageError("writing") } },
    [byWorkers]
  ],
  ["events that were not stored", { notStored: { count: 3, at: secondsAgo(299) } }, [notStored]],
  ["events that were not stored long ago", { notStored: { count: 3, at: secondsAgo(300) } }, []],
  ["no such event, at any time", { notStored: { count: 0, at: now } }, []],
  [
    "everything at once",
    {
      ...one({ destination: closed(61), misfit: Option.some(misfit) }),
      ...dead(2),
      gitea: [down],
      hooks,
      standby: elsewhere,
      readFailure: storageError("reading"),
      notStored: { count: 3, at: now }
    },
    [
      away,
      wrongTable,
      /^Gitea does not answer/,
      standby,
      byReading,
      notStored,
      /^2 events are dead letters/,
      refusedBy("plane"),
      refusedBy("gitea")
    ]
  ],
  [
    "everything at once, without a token",
    {
      ...one({ destination: unset, misfit: Option.some(misfit) }),
      standby: elsewhere,
      writeFailure: { at: now, error: storageError("writing") },
      notStored: { count: 3, at: now }
    },
    [noToken, wrongTable, standby, byWriting, notStored]
  ]
]

describe("judge", () => {
  it("a replica that follows says nothing of Plane, which the leader does, and says when nobody leads", () => {
    const replica = (alive: boolean, leads: ReadonlyArray<string>) => ({
      host: "a",
      pid: 7,
      since: now,
      seenAt: now,
      alive,
      leads,
      isMain: false
    })
    const following = { ...well, ...one({ destination: closed(600) }), elsewhere: ["ET"] }
    const led = { ...following, replicas: [replica(true, []), replica(true, ["ET"])] }
    assert.deepStrictEqual(judge(led).reasons, [])
    for (const leader of [[], [replica(false, ["ET"])], [replica(true, ["OPS"])]]) {
      const { reasons, status } = judge({ ...following, replicas: [replica(true, []), ...leader] })
      assert.strictEqual(status, "degraded")
      assert.deepStrictEqual(reasons, [
        "No replica sends for ET just now: another one goes on when the last one's lease is over"
      ])
    }
  })

  it.each(rows)("%s", (_, facts, expected) => {
    const { reasons, status } = judge({ ...well, ...facts })
    assert.strictEqual(status, expected.length === 0 ? "ok" : "degraded")
    assert.strictEqual(reasons.length, expected.length, reasons.join("\n"))
    expected.forEach((pattern, index) => assert.match(reasons[index] ?? "", pattern))
  })

  it("says for which reasons something may wait: not for dead letters, nor for webhooks that were refused", () => {
    const { reasons, waits } = judge({ ...well, ...dead(1), hooks, ...one({ destination: closed(3) }) })
    assert.lengthOf(reasons, 4)
    assert.deepStrictEqual(waits, reasons.slice(0, 1))
  })
})
