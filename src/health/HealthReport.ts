import { Option, Schema } from "effect"
import { utc } from "../base/Time.js"
import type { ProjectStatus } from "../sending/PlaneSync.js"
import { planeFields, planeView } from "../views/PlaneView.js"
import type { SourceStatus } from "../webhooks/Receiver.js"
import type { HealthFacts } from "./HealthFacts.js"
import { judge } from "./Judge.js"

const WebhookSource = Schema.Struct({
  lastAccepted: Schema.NullOr(Schema.DateTimeUtc),
  lastRefused: Schema.NullOr(Schema.Struct({ at: Schema.DateTimeUtc, why: Schema.String })),
  skipped: Schema.Array(Schema.Struct({ kind: Schema.String, count: Schema.Number, why: Schema.String })).annotations({
    description: "the kinds that moved nothing: how many of each, and why the latest of them did not"
  })
}).annotations({ identifier: "WebhookSource", description: "a sender's webhooks since the program was started" })

const PlaneReport = Schema.Struct({
  ...planeFields,
  state: Schema.Literal(...planeFields.state.literals, "elsewhere").annotations({
    description: "closed: nothing is sent, everything is kept; elsewhere: another replica leads, and knows"
  }),
  rateLimit: Schema.Struct({
    limit: Schema.Number,
    used: Schema.Number.annotations({ description: "requests that count against the limit now" }),
    waiting: Schema.Number.annotations({ description: "requests that wait for their turn" })
  })
})

const ReplicaReport = Schema.Struct({
  host: Schema.String,
  pid: Schema.Number,
  since: Schema.DateTimeUtc,
  lastSeen: Schema.DateTimeUtc,
  alive: Schema.Boolean.annotations({ description: "whether it was seen in the last 15 seconds" }),
  leads: Schema.Array(Schema.String).annotations({ description: "the projects that it sends for" }),
  main: Schema.Boolean.annotations({ description: "whether it works on webhooks, and prunes" })
}).annotations({ identifier: "Replica", description: "a process that uses the same Postgres" })

/** What `GET /health` answers. */
export const HealthReport = Schema.Struct({
  live: Schema.Literal(true).annotations({
    description: "always true: the program answers. A container asks this, because no restart mends what degrades it"
  }),
  status: Schema.Literal("ok", "degraded").annotations({
    description:
      "ok: Plane answers and may be written to, the stage table fits, webhooks are taken, no dead letter is left, and no " +
      "notice that was given up"
  }),
  reasons: Schema.Array(Schema.String).annotations({ description: "why it is degraded, for people" }),
  waits: Schema.Array(Schema.String).annotations({
    description: "those of the reasons for which something that was stored may wait"
  }),
  plane: PlaneReport.annotations({ description: "of several projects that of the first which is closed" }),
  projects: Schema.Array(Schema.Struct({
    project: Schema.String.annotations({ description: "its identifier" }),
    ...PlaneReport.fields
  })),
  replicas: Schema.Array(ReplicaReport).annotations({
    description:
      "the processes on the same Postgres; empty over a file. Only who sends for a project knows of Plane there"
  }),
  outbox: Schema.Struct({
    pending: Schema.Number,
    dead: Schema.Number,
    oldestSeconds: Schema.Number.annotations({ description: "how long the oldest event has been waiting" })
  }),
  notices: Schema.Struct({
    dead: Schema.Number.annotations({
      description: "how many were given up; at most 1000, because no more are counted"
    })
  }),
  webhooks: Schema.Struct({ plane: WebhookSource, gitea: WebhookSource })
}).annotations({ identifier: "Health" })
export type HealthReport = typeof HealthReport.Type

const sourceReport = ({ acceptedAt, refused, skipped }: SourceStatus): typeof WebhookSource.Type => ({
  lastAccepted: Option.getOrNull(acceptedAt),
  lastRefused: Option.getOrNull(refused),
  skipped
})

const planeReport =
  ({ elsewhere }: HealthFacts) => ({ budget, destination, identifier }: ProjectStatus): typeof PlaneReport.Type => ({
    ...(elsewhere.includes(identifier) ? { state: "elsewhere" } : planeView(destination)),
    rateLimit: { limit: budget.limit, used: budget.used, waiting: budget.waiting }
  })

/** The facts as they are shown, with their judgement. */
export const healthReport = (facts: HealthFacts): HealthReport => {
  const { hooks, now, outbox, projects, replicas } = facts
  const report = planeReport(facts)
  const here = projects.filter(({ identifier }) => !facts.elsewhere.includes(identifier))
  return {
    live: true,
    ...judge(facts),
    plane: report(here.find(({ destination }) => !destination.open) ?? here[0] ?? projects[0]),
    projects: projects.map((project) => ({ project: project.identifier, ...report(project) })),
    replicas: replicas.map(({ alive, host, isMain, leads, pid, seenAt, since }) => ({
      host,
      pid,
      since: utc(since),
      lastSeen: utc(seenAt),
      alive,
      leads,
      main: isMain
    })),
    outbox: {
      pending: outbox.pending,
      dead: outbox.dead,
      oldestSeconds: Option.match(outbox.oldestAt, {
        onNone: () => 0,
        onSome: (at) => Math.max(0, Math.floor((now - at.epochMillis) / 1000))
      })
    },
    notices: { dead: facts.deadNotices },
    webhooks: { plane: sourceReport(hooks.plane), gitea: sourceReport(hooks.gitea) }
  }
}
