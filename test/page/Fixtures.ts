import { Schema } from "effect"
import { Board } from "../../src/overview/BoardView.js"
import { History } from "../../src/overview/HistoryView.js"
import { Overview } from "../../src/overview/OverviewView.js"
import { DeadLetterView } from "../../src/views/DeadLetterView.js"
import { TaskWithStory } from "../../src/views/TaskView.js"
import { WorkItemView } from "../../src/views/WorkItemView.js"

// What the API answers in states that are hard to bring about, or long to wait for. Each goes through its schema, so
// that it cannot be what the API never answers.

type Need = (typeof Overview.Encoded)["needs"][number]
type Card = (typeof Board.Encoded)["stages"][number]["cards"][number]

/** What the page reads, by its path. */
export interface Answers {
  readonly overview: typeof Overview.Encoded
  readonly board: typeof Board.Encoded
  readonly history: typeof History.Encoded
  readonly letters: ReadonlyArray<typeof DeadLetterView.Encoded>
  readonly workItem: typeof WorkItemView.Encoded
  readonly task: typeof TaskWithStory.Encoded
}

const through = <A, I>(schema: Schema.Schema<A, I>, value: I): I =>
  Schema.encodeSync(schema)(Schema.decodeSync(schema)(value))

const plane = "https://plane.example/ag_proj/browse"
const named = (key: string, name: string | null) => ({ key, name, url: `${plane}/${key}/` })

/** The moment that is so many seconds before `now`. */
const before = (now: number) => (seconds: number) => new Date(now - seconds * 1000).toISOString()

const anything = { code: null, project: null, since: null, until: null, upTo: null }
const refused = { ...anything, code: "refused", upTo: 420 }
const notFound = { ...anything, code: "not_found", upTo: 420 }

const needsAt = (at: (seconds: number) => string): ReadonlyArray<Need> => [
  {
    id: "closed ET",
    severity: "broken",
    label: "Key refused",
    since: at(4 * 60),
    count: 1,
    workItem: null,
    title: "Plane does not take the key of ET",
    evidence: { before: "It says:", words: "403 Given API token is not valid" },
    remedy: "Make a new key, set it as `ORCH_PLANE_API_TOKEN`, and restart: 15 events wait, on disk.",
    actions: [
      { _tag: "Open", label: "Keys in Plane", url: "https://plane.example/ag_proj/settings/account/api-tokens/" },
      { _tag: "Probe", label: "Probe now" }
    ]
  },
  {
    id: "wait 7",
    severity: "waits",
    label: "Question",
    since: at(15 * 60),
    count: 1,
    workItem: named("ET-5", "Offline maps for a whole region"),
    title: "ET-5 Offline maps for a whole region",
    evidence: { before: "architect asks mira:", words: "May map tiles of last month be deleted unasked?" },
    remedy: "Comment `/answer` and your words on ET-5. At 14:31 rafa is asked.",
    actions: [{ _tag: "Open", label: "Answer in Plane", url: `${plane}/ET-5/` }]
  },
  {
    id: "wait 8",
    severity: "broken",
    label: "Red build",
    since: at(4 * 60),
    count: 1,
    workItem: named("ET-2", "Ride profiles on the trail map"),
    title: "ET-2 Ride profiles on the trail map",
    evidence: { before: "Gate ci failed at development, 3 times:", words: "ci/e2e: climb < 0 m & drawn anyway" },
    remedy: "Push a fix to pull request 12, or comment `/retry` to launch developer again.",
    actions: [{ _tag: "Open", label: "Open the build", url: "https://gitea.example/trails/app/actions/runs/318" }]
  },
  {
    id: "dead refused",
    severity: "broken",
    label: "14 dead letters",
    since: at(66 * 60),
    count: 14,
    workItem: null,
    title: "Refused by Plane: the state of stage review is gone",
    evidence: { before: "It says:", words: "400 \"state\": Invalid pk \"5f0c…e1\" - object does not exist." },
    remedy: "Name another state for review in `plane-sync.json`, restart, then retry.",
    actions: [
      { _tag: "RetryLetters", label: "Retry all 14", filter: refused, count: 14 },
      { _tag: "ShowLetters", label: "Show them", filter: refused }
    ]
  },
  {
    id: "dead not_found",
    severity: "broken",
    label: "2 dead letters",
    since: at(147 * 60),
    count: 2,
    workItem: null,
    title: "Nobody has the key ET-191",
    evidence: { before: "Looked for 6 times in 10 minutes:", words: "neither the number nor a name that carries it" },
    remedy: "Discard them if it is a typo; retry when the work item exists.",
    actions: [
      { _tag: "DiscardLetters", label: "Discard both", filter: notFound, count: 2 },
      { _tag: "ShowLetters", label: "Show them", filter: notFound }
    ]
  }
]

const overviewAt = (now: number): typeof Overview.Encoded => {
  const at = before(now)
  return {
    at: at(0),
    version: "0.1.0",
    startedAt: at(3 * 3_600),
    headline: [
      "Plane is closed since 10:42: it refuses the key of ET.",
      "An agent asks a question, a build is red, and 16 letters are dead."
    ],
    below: "Nothing is lost. The 15 events that are owed are told as soon as Plane takes a key; tasks go on meanwhile.",
    severity: "broken",
    needsYou: 5,
    needs: needsAt(at),
    owed: 15,
    dead: 16,
    oldestSeconds: 252,
    toldLastHour: 131,
    projects: [
      {
        project: "ET",
        state: "closed",
        since: at(4 * 60),
        reason: "it refuses the key: 403 Given API token is not valid",
        nextProbeAt: at(-38),
        lastToldAt: at(4 * 60),
        budget: { limit: 60, used: 0, waiting: 0, nextFreeAt: null }
      },
      {
        project: "DOC",
        state: "open",
        since: null,
        reason: null,
        nextProbeAt: null,
        lastToldAt: at(12),
        budget: { limit: 60, used: 41, waiting: 0, nextFreeAt: null }
      }
    ],
    heard: [
      { source: "plane", lastAccepted: at(9), lastRefused: null },
      { source: "gitea", lastAccepted: at(130), lastRefused: null }
    ],
    replicas: [
      {
        host: "ps-0",
        pid: 17,
        since: at(2.7 * 3_600),
        lastSeen: at(1),
        alive: true,
        leads: ["ET"],
        main: true
      },
      { host: "ps-1", pid: 17, since: at(2.7 * 3_600), lastSeen: at(2), alive: true, leads: ["DOC"], main: false },
      { host: "ps-2", pid: 18, since: at(2.6 * 3_600), lastSeen: at(2), alive: true, leads: [], main: false }
    ]
  }
}

type Row = readonly [
  key: string,
  name: string,
  agent: string | null,
  spent: number,
  patience: number | null,
  behind: number
]

const rows: Readonly<Record<string, ReadonlyArray<Row>>> = {
  created: [
    ["ET-31", "Group rides with a shared map", null, 2, null, 1],
    ["ET-30", "Import GPX from a watch", null, 4, null, 1]
  ],
  analysis: [
    ["ET-29", "Trail closures from the county's feed", "analyst", 3, 20, 2],
    ["ET-27", "Elevation smoothed in tunnels", "analyst", 1, 20, 2]
  ],
  architecture: [["ET-5", "Offline maps for a whole region", "architect", 15, 30, 0]],
  development: [
    ["ET-2", "Ride profiles on the trail map", "developer", 81, 120, 3],
    ["ET-24", "Weather along the route", "developer", 112, 120, 1],
    ["ET-18", "Battery left before a climb", "developer", 22, 120, 0]
  ],
  review: [
    ["ET-14", "Follow a friend's ride live", "reviewer", 1, 240, 1],
    ["ET-16", "Surface colours for colour-blind riders", "reviewer", 34, 240, 0]
  ],
  testing: [["ET-11", "Route search by surface", "tester", 3, 15, 2]],
  deploy: [["ET-9", "Dark map at dusk", "deployer", 2, 10, 2]],
  done: [
    ["ET-3", "Closed trails greyed out", null, 34, null, 0],
    ["ET-7", "ET-002: share a tour by link", null, 48, null, 0],
    ["ET-1", "Sign in with a passkey", null, 75, null, 0],
    ["ET-12", "Summit photos in the log", null, 119, null, 0]
  ]
}

const cardAt =
  (at: (seconds: number) => string, isDone: boolean) => ([key, name, agent, spent, patience, behind]: Row): Card => ({
    ...named(key, name),
    agent,
    status: isDone ? "done" : "active",
    why: null,
    since: at(spent * 60),
    patienceSeconds: patience === null ? null : patience * 60,
    behind,
    failedGate: key === "ET-2" ? { gate: "ci", times: 3 } : null,
    waitsFor: key === "ET-2"
      ? [{ reason: "gate_failed", reached: ["mira"] }]
      : key === "ET-5"
      ? [{ reason: "asked", reached: ["mira"] }]
      : []
  })

const boardAt = (now: number): typeof Board.Encoded => ({
  project: "ET",
  projects: ["ET", "DOC"],
  underWay: 12,
  doneToday: 9,
  stages: Object.entries(rows).map(([stage, own]) => ({
    stage,
    count: stage === "done" ? 9 : own.length,
    cards: own.map(cardAt(before(now), stage === "done")),
    nextCursor: stage === "done" ? 4 : null
  }))
})

/** The same each time: a picture does not differ for nothing. */
const waves = (x: number, a: number, b: number) => Math.abs(Math.sin(x * a) * Math.cos(x * b))

const historyAt = (now: number): typeof History.Encoded => {
  const start = Math.floor(now / 300_000) * 300_000 - 287 * 300_000
  return {
    since: new Date(start).toISOString(),
    bucketSeconds: 300,
    buckets: Array.from({ length: 288 }, (_, x) => {
      const isClosed = x >= 91 && x < 95 || x === 287
      const load = 1 + 9 * Math.exp(-(((x % 288) - 40) ** 2) / 1_800) + 11 * Math.exp(-((x - 276) ** 2) / 300)
      const events = Math.round(load * (0.5 + waves(x, 1.7, 0.9)))
      const isQuiet = isClosed || events === 0
      return {
        at: new Date(start + x * 300_000).toISOString(),
        events,
        told: isQuiet ? 0 : Math.round(events * (x === 95 ? 4 : 0.8)),
        p50Seconds: isQuiet ? null : x === 95 ? 240 : 0.3 + 0.3 * waves(x, 2.3, 1.1),
        p99Seconds: isQuiet ? null : x === 95 ? 1_080 : 1.2 + 3 * waves(x, 0.7, 3.1),
        closedSeconds: isClosed ? 250 : 0
      }
    })
  }
}

const lettersAt = (now: number): ReadonlyArray<typeof DeadLetterView.Encoded> => {
  const at = before(now)
  return Array.from({ length: 16 }, (_, index) => {
    const isMissing = index > 13
    return {
      id: 420 - index,
      kind: isMissing ? "comment" : "state",
      code: isMissing ? "not_found" : "refused",
      reason: isMissing
        ? "Plane has no work item ET-191: neither the number nor a name that carries it"
        : "400 \"state\": Invalid pk \"5f0c2a77-1a0e-4a32-b6b6-0d3fd0c1a0e1\" - object does not exist.",
      workItem: isMissing ? "ET-191" : `ET-${14 + index}`,
      firstEvent: 900 - index,
      lastEvent: 900 - index,
      body: isMissing
        ? "<p>🔄 Stage: created → analysis (launching analyst)</p>"
        : "5f0c2a77-1a0e-4a32-b6b6-0d3fd0c1a0e1",
      externalId: null,
      occurredAt: at(330 + index * 250),
      settledAt: at(300 + index * 250),
      attempts: isMissing ? 0 : 2,
      answer: isMissing ? null : 400
    }
  })
}

const comment = "⚠️ QG failed at development: ci — ci/e2e: climb &lt; 0 m &amp; drawn anyway"

const deliveryAt = (at: (seconds: number) => string, seconds: number, id: number) => ({
  id,
  kind: "comment",
  status: "delivered",
  firstEvent: id,
  lastEvent: id,
  externalId: `e${id}`,
  body: "<p>🔄 Stage: created → analysis (launching analyst)</p>",
  attempts: 1,
  plannedAt: at(seconds),
  sentAt: at(seconds),
  settledAt: at(seconds - 0.06),
  planeId: null,
  answer: 201,
  took: 61,
  reason: null,
  tries: [],
  tells: [id],
  isLiving: false
} as const)

const workItemAt = (now: number): typeof WorkItemView.Encoded => {
  const at = before(now)
  const told = deliveryAt(at, 94 * 60, 1)
  const slow = {
    ...deliveryAt(at, 25 * 60, 3),
    body: `<p>${comment}</p>`,
    attempts: 2,
    answer: 409,
    tries: [{
      at: at(25 * 60 + 30),
      attempt: 1,
      answer: null,
      took: 10_000,
      reason: "no answer in 10 s, may have been done"
    }]
  }
  const owed = {
    ...deliveryAt(at, 4 * 60, 5),
    status: "pending" as const,
    body: `<p>${comment} (failed 3 times)</p>`,
    settledAt: null,
    answer: 403,
    reason: "Given API token is not valid",
    tries: [{ at: at(4 * 60), attempt: 1, answer: 403, took: 22, reason: "Given API token is not valid" }]
  }
  const line = (
    seconds: number,
    kind: (typeof WorkItemView.Encoded)["story"][number]["kind"],
    words: string,
    more: { readonly event?: number; readonly delivery?: number; readonly attempt?: number; readonly answer?: number } =
      {}
  ) => ({
    at: at(seconds),
    kind,
    line: words,
    event: more.event ?? null,
    delivery: more.delivery ?? null,
    attempt: more.attempt ?? null,
    answer: more.answer ?? null,
    took: null
  })
  return {
    key: "ET-2",
    workItem: "1f2e681e-5315-40e4-899e-84a45c093a9b",
    owed: 3,
    dueAt: at(-38),
    state: "b873d9eb-993c-48cd-97ac-99a9b1623967",
    stateName: "In Progress",
    gone: false,
    problem: null,
    task: { stage: "development", status: "active" },
    events: [{
      sequence: 1,
      id: "one",
      workItem: "ET-2",
      event: null,
      occurredAt: at(94 * 60 + 1),
      publishedAt: at(94 * 60 + 0.3),
      status: "delivered",
      comment: "delivered",
      state: "delivered",
      reason: null
    }],
    deliveries: [owed, slow, told],
    story: [
      line(95 * 60, "hook", "webhook of Plane (issue updated): mira moved it to In Progress"),
      line(94 * 60 + 1, "event", "event 1: stage created → analysis, agent analyst", { event: 1 }),
      line(94 * 60, "request", "the comment \"🔄 Stage\", attempt 1: accepted", {
        delivery: 1,
        attempt: 1,
        answer: 201
      }),
      line(82 * 60, "event", "event 2: stage architecture → development, agent developer", { event: 2 }),
      line(26 * 60, "hook", "webhook of Gitea (status): ci/e2e failed"),
      line(26 * 60, "verdict", "gate ci: failed: ci/e2e: climb < 0 m & drawn anyway"),
      line(25 * 60 + 40, "event", "event 3: gate ci failed at development: ci/e2e: climb < 0 m", { event: 3 }),
      line(25 * 60 + 30, "request", "the comment, attempt 1: no answer", { delivery: 3, attempt: 1 }),
      line(25 * 60, "request", "the comment, attempt 2: accepted", { delivery: 3, attempt: 2, answer: 409 }),
      line(4 * 60, "request", "the count, attempt 1: answered 403", { delivery: 5, attempt: 1, answer: 403 }),
      line(2 * 60, "hook", "webhook of Gitea (pull_request_sync): new commits on pull request 12")
    ],
    next: {
      what: "recount",
      line: "the count of the gate's failure is sent",
      at: at(-38),
      waits: ["Plane is closed for ET since 10:42: it refuses the key. It is probed in 38 s"],
      request: { kind: "recount", body: `<p>${comment} (failed 3 times)</p>`, externalId: "e5", attempt: 2 }
    }
  }
}

const taskAt = (now: number): typeof TaskWithStory.Encoded => {
  const at = before(now)
  const share = (stage: string, seconds: number, attempts = 1) => ({ stage, seconds, attempts, failedGates: 0 })
  return {
    id: 2,
    workItem: "ET-2",
    planeId: "1f2e681e-5315-40e4-899e-84a45c093a9b",
    stage: "development",
    status: "active",
    why: null,
    agent: "developer",
    repository: { id: 31, name: "trails/app", gitea: null },
    pullRequest: 12,
    headSha: "9d03f6a2c8e14b7750c3d2e1f0a9b8c7d6e5f423",
    entry: "entry",
    launch: { state: "working", since: at(81 * 60), position: null },
    paused: null,
    startedAt: at(95 * 60),
    updatedAt: at(2 * 60),
    verdicts: [
      {
        gate: "ci",
        stage: "development",
        verdict: "failed",
        reason: "ci/e2e: climb < 0 m",
        since: at(240),
        at: at(240)
      }
    ],
    reports: [],
    waiting: [{
      id: 8,
      stage: "development",
      reason: "gate_failed",
      question: "gate ci failed 3 times in a row",
      agent: null,
      openedAt: at(240),
      state: "open",
      why: null,
      closedBy: null,
      closedAt: null,
      reached: ["mira"],
      escalateAt: at(-4 * 3_600),
      notices: []
    }],
    answers: [],
    receipt: {
      seconds: 95 * 60,
      failedGates: 3,
      stages: [
        share("created", 1),
        share("analysis", 720),
        share("architecture", 21),
        share("development", 81 * 60, 2)
      ],
      pullRequests: ["trails/app#12"],
      usage: { inputTokens: 412_806, outputTokens: 38_114, costUsd: 2.31, models: [] }
    },
    pullRequests: [],
    links: [
      {
        kind: "pull-request",
        title: "trails/app#12",
        url: "https://gitea.example/trails/app/pulls/12",
        inPlane: true,
        givenUp: null
      }
    ],
    story: []
  }
}

const checked = (answers: Answers): Answers => ({
  overview: through(Overview, answers.overview),
  board: through(Board, answers.board),
  history: through(History, answers.history),
  letters: answers.letters.map((letter) => through(DeadLetterView, letter)),
  workItem: through(WorkItemView, answers.workItem),
  task: through(TaskWithStory, answers.task)
})

/** Plane has closed, an agent asks, a build is red, and letters are dead. `now` in milliseconds. */
export const trouble = (now: number): Answers =>
  checked({
    overview: overviewAt(now),
    board: boardAt(now),
    history: historyAt(now),
    letters: lettersAt(now),
    workItem: workItemAt(now),
    task: taskAt(now)
  })

/** Nothing needs anybody. */
export const calm = (now: number): Answers => {
  const answers = trouble(now)
  return checked({
    ...answers,
    letters: [],
    overview: {
      ...answers.overview,
      headline: ["All told.", "Nothing needs you."],
      below: "The last comment was told 12 s ago.",
      severity: "fine",
      needsYou: 0,
      needs: [],
      owed: 0,
      dead: 0,
      oldestSeconds: 0,
      replicas: [],
      projects: answers.overview.projects.map((project) => ({
        ...project,
        state: "open",
        since: null,
        reason: null,
        nextProbeAt: null,
        lastToldAt: before(now)(40)
      }))
    },
    board: {
      ...answers.board,
      stages: answers.board.stages.map((column) => ({
        ...column,
        cards: column.cards.map((card) => ({ ...card, failedGate: null, waitsFor: [], behind: 0 }))
      }))
    }
  })
}

/** So many work items, 50 of each stage on the page. */
export const many = (now: number, count: number): Answers => {
  const answers = calm(now)
  const each = Math.ceil(count / answers.board.stages.length)
  const at = before(now)
  return checked({
    ...answers,
    board: {
      ...answers.board,
      underWay: count,
      stages: answers.board.stages.map(({ stage }, column) => ({
        stage,
        count: each,
        nextCursor: 50,
        cards: Array.from({ length: 50 }, (_, row) => ({
          ...cardAt(at, stage === "done")([
            `ET-${column * each + row + 1}`,
            `Work item ${row + 1} with a name of a usual length`,
            "developer",
            row,
            60,
            row % 3
          ]),
          waitsFor: row < 3 ? [{ reason: "asked", reached: ["mira"] }] : []
        }))
      }))
    }
  })
}

/** What somebody may write into a name, a reason or an address. */
export const hostile = (now: number): Answers => {
  const answers = trouble(now)
  const bad = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>\u202Etxet\u0000"
  const link = "javascript:document.title='owned'"
  return checked({
    ...answers,
    overview: {
      ...answers.overview,
      headline: [bad],
      below: bad,
      needs: answers.overview.needs.map((need) => ({
        ...need,
        title: bad,
        label: bad,
        remedy: bad,
        evidence: { before: bad, words: bad },
        actions: [{ _tag: "Open" as const, label: bad, url: link }]
      }))
    },
    board: {
      ...answers.board,
      stages: answers.board.stages.map((column) => ({
        ...column,
        cards: column.cards.map((card) => ({ ...card, name: bad, agent: bad, url: link, why: bad }))
      }))
    },
    letters: answers.letters.map((letter) => ({ ...letter, reason: bad, body: `<p>${bad}</p>`, workItem: bad })),
    workItem: {
      ...answers.workItem,
      problem: bad,
      deliveries: answers.workItem.deliveries.map((delivery) => ({ ...delivery, body: bad, reason: bad })),
      story: answers.workItem.story.map((line) => ({ ...line, line: bad }))
    }
  })
}
