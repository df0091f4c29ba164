import type { ConfigError } from "effect"
import { Effect, Layer, Option } from "effect"
import { connections } from "../base/Connections.js"
import { Projects } from "../domain/Projects.js"
import { StageEvents } from "../events/StageEvents.js"
import { Leadership } from "../outbox/Leadership.js"
import { pruneHourly, retention } from "../storage/Retention.js"
import { Storage } from "../storage/Storage.js"
import { WakeUps } from "../storage/WakeUps.js"
import { Pipeline } from "../tasks/Pipeline.js"
import { taskReader } from "../tasks/TaskRows.js"
import type { TaskStore } from "../tasks/TaskStore.js"
import { DeadNotices } from "./DeadNotices.js"
import { noticeConfig } from "./NoticeConfig.js"
import { pruneNotices } from "./Notices.js"
import { startNotices } from "./NoticeSender.js"
import { makeOpening } from "./Opening.js"
import { People } from "./People.js"
import { attentionAfter, ceilingsConfig } from "./PeopleConfig.js"
import { pruneWaits } from "./Waits.js"
import { startWatch } from "./Watch.js"

/** What is done in the background, by the leader alone. */
const work = Layer.scopedDiscard(
  Effect.gen(function*() {
    const { read, sql, trouble, write } = yield* Storage
    const events = yield* StageEvents
    const wakeUps = yield* WakeUps
    const { whileLeading, whileSending } = yield* Leadership
    const notices = yield* noticeConfig
    const ceilings = yield* ceilingsConfig
    const reader = taskReader(sql, yield* Pipeline)
    const hasNotices = Option.isSome(notices)
    const projects = yield* Projects
    const opening = makeOpening(sql, projects, { after: yield* attentionAfter, hasNotices })
    const kept = yield* retention
    yield* whileSending((_, leads) =>
      startWatch({ ceilings, events, opening, projects, read, reader, sql, trouble, wakeUps }, leads)
    )
    yield* whileLeading(() =>
      Effect.gen(function*() {
        if (Option.isSome(notices)) yield* startNotices(notices.value)
        yield* pruneHourly((before) => write(pruneNotices(sql, before)), kept)
        yield* pruneHourly((before) => write(pruneWaits(sql, before)), kept)
      })
    )
  }).pipe(Effect.annotateLogs({ service: "People" }))
)

/** What tasks wait for somebody for: the asking, the answering, what is done meanwhile, and the notices given up. */
export const peopleLayer: Layer.Layer<
  DeadNotices | People,
  ConfigError.ConfigError,
  Leadership | Pipeline | Projects | StageEvents | Storage | TaskStore | WakeUps
> = Layer.mergeAll(People.layer, DeadNotices.layer, Layer.provide(work, connections))
