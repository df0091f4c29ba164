import type { ConfigError } from "effect"
import { Context, Effect, Layer, Option } from "effect"
import { makeSharedRead } from "../base/SharedRead.js"
import { earlier, epochMillis, utc } from "../base/Time.js"
import { version } from "../base/Version.js"
import { Projects } from "../domain/Projects.js"
import { Health } from "../health/Health.js"
import { healthReport } from "../health/HealthReport.js"
import { readDeadGroups } from "../outbox/DeadGroups.js"
import { itemNames } from "../outbox/ItemNames.js"
import { countToldSince } from "../outbox/ToldSince.js"
import { openWaits } from "../people/Waits.js"
import { PlaneConfig } from "../plane/PlaneConfig.js"
import { Storage } from "../storage/Storage.js"
import { failedGates } from "../tasks/FailedGates.js"
import { below, headline } from "./Headline.js"
import { itemsOf, namesOf } from "./Items.js"
import { lettersOf } from "./LetterNeeds.js"
import { findNeeds, severityOf, shownNeeds } from "./Needs.js"
import type { OverviewFacts } from "./OverviewFacts.js"
import type { Overview as View } from "./OverviewView.js"

/** Tells what the page's first screen shows. */
export class Overview extends Context.Tag("plane-sync/Overview")<Overview, {
  /**
   * Whether anything is stuck, and what needs a person. Never fails: while storage does, it shows what was read last,
   * and says so. Those who ask at the same time share one reading.
   */
  readonly read: Effect.Effect<View>
}>() {
  static readonly layer: Layer.Layer<Overview, ConfigError.ConfigError, Health | Projects | Storage> = Layer.effect(
    Overview,
    Effect.suspend(() => make)
  )
}

/** The longest time that it waits for storage. */
const patience = "2 seconds"

/** More waits than this are not read. They are the oldest. */
const mostWaits = 500

type Stored = Pick<OverviewFacts, "gates" | "items" | "letters" | "toldLastHour" | "waits">

const view = (facts: OverviewFacts, startedAt: View["startedAt"]): View => {
  const { health } = facts
  const found = findNeeds(facts)
  const report = healthReport(health)
  return {
    at: utc(health.now),
    version,
    startedAt,
    headline: headline(facts, found),
    below: below(facts),
    severity: severityOf(found),
    needsYou: found.length,
    needs: shownNeeds(found),
    owed: report.outbox.pending,
    dead: lettersOf(facts),
    oldestSeconds: report.outbox.oldestSeconds,
    toldLastHour: facts.toldLastHour,
    projects: health.projects.map(({ budget, destination, identifier, wroteAt }) => ({
      project: identifier,
      state: health.elsewhere.includes(identifier) ? "elsewhere" : destination.open ? "open" : "closed",
      since: destination.open ? null : destination.since,
      reason: destination.open ? null : destination.reason,
      nextProbeAt: destination.open ? null : Option.getOrNull(destination.nextProbeAt),
      lastToldAt: Option.getOrNull(wroteAt),
      budget: {
        limit: budget.limit,
        used: budget.used,
        waiting: budget.waiting,
        nextFreeAt: Option.getOrNull(budget.nextFreeAt)
      }
    })),
    heard: health.heard.map((source) => ({
      source,
      lastAccepted: report.webhooks[source].lastAccepted,
      lastRefused: report.webhooks[source].lastRefused
    })),
    replicas: report.replicas
  }
}

const make = Effect.gen(function*() {
  const health = yield* Health
  const projects = yield* Projects
  const config = yield* PlaneConfig
  const { read, sql } = yield* Storage
  const startedAt = utc(yield* epochMillis)
  const settings: OverviewFacts["settings"] = {
    named: projects.named,
    ofKey: projects.ofKey,
    planeUrl: config.url,
    workspaceUrl: (identifier) =>
      `${config.url}/${projects.named(identifier)?.own.workspaceSlug ?? config.workspaceSlug}`
  }
  let last: Stored = { waits: [], gates: [], letters: [], toldLastHour: 0, items: itemsOf(config, projects, []) }

  const readStored = Effect.gen(function*() {
    const waits = yield* read(openWaits(sql, { after: 0, limit: mostWaits }))
    const gates = yield* read(failedGates(sql))
    const letters = yield* read(readDeadGroups(sql))
    const toldLastHour = yield* read(countToldSince(sql, earlier(yield* epochMillis, "1 hour")))
    const names = namesOf([...waits, ...gates].map(({ workItem }) => workItem))
    const known = names.length === 0 ? [] : yield* read(itemNames(sql, names))
    last = { waits, gates, letters, toldLastHour, items: itemsOf(config, projects, known) }
  })

  return Overview.of({
    read: yield* makeSharedRead(Effect.gen(function*() {
      // Why it could not be read is among the facts of health.
      yield* Effect.ignore(Effect.timeout(readStored, patience))
      return view({ ...last, settings, health: yield* health.facts }, startedAt)
    }))
  })
})
