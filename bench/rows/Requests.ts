import type { Duration } from "effect"
import { Data, Effect, Layer, TestClock, TestContext } from "effect"
import { stages } from "../../src/domain/Stage.js"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import * as DirectWay from "../DirectWay.js"
import type { Figure, Row } from "../Figure.js"
import { Aim } from "../Figure.js"
import { life } from "../Load.js"
import type { Settings } from "../Pipelines.js"
import { pipelineInMemory } from "../Pipelines.js"

class NotTold extends Data.TaggedError("NotTold")<{ readonly who: string; readonly what: string }> {
  override get message(): string {
    return `Requests cannot be counted: ${this.who} left Plane with ${this.what}`
  }
}

/** One for each event. */
const joined = { comments: stages.length, links: 0 }

/** The living comment, the end, and what a life's events link to. */
const livingAndLinks = { comments: 2, links: 2 }

/** A task's life whose events name the log of an agent, and a pull request. */
const linkedLife = (key: string) =>
  life(key).map((event) =>
    event._tag === "StageChanged" && event.to === "development"
      ? StageEvent.StageChanged({ ...event, links: [{ kind: "log", title: "Log", url: "https://ci.example.com/7" }] })
      : event._tag === "StageChanged" && event.to === "review"
      ? StageEvent.StageChanged({
        ...event,
        links: [{ kind: "pull-request", title: "#12", url: "https://git.example.com/acme/app/pulls/12" }]
      })
      : event
  )

/** What Plane must have in the end. If nothing was told, few requests would be no merit. */
interface Told {
  readonly comments: number
  readonly links: number
}

/**
 * How many requests the simulator received from `writing` until Plane had all of the work item's life, and how many of
 * them were changes of the work item, for which Plane 1.4 mails those who follow it.
 */
const counted = <E, R>(
  who: string,
  writing: (key: string) => Effect.Effect<void, E, R>,
  spell: (n: number) => string,
  told: Told = joined
) =>
  Effect.gen(function*() {
    const plane = yield* PlaneSimulator
    const item = yield* plane.addWorkItem({ name: "Ride along the river" })
    yield* plane.forgetRequests
    yield* writing(spell(item.number))
    const requests = yield* plane.requests
    const comments = yield* plane.comments(item.id)
    const links = yield* plane.links(item.id)
    const { state } = yield* plane.workItem(item.id)
    if (comments.length !== told.comments || links.length !== told.links || state.name !== "Done") {
      return yield* new NotTold({
        who,
        what: `${comments.length} comments, ${links.length} links and state ${state.name}`
      })
    }
    return {
      requests: requests.length,
      changes: requests.filter(({ kind, method }) => method === "PATCH" && kind === "item").length
    }
  })

// An agent works on a stage for minutes, so what was read of the work item before it is no longer relied on after it.
const stageTakes: Duration.DurationInput = "5 minutes"

const byPipeline = ({ events = life, settings, told = joined }: Way, spell: (n: number) => string) =>
  Effect.gen(function*() {
    const plane = yield* PlaneSimulator
    const { token, url } = plane
    const run = (key: string) =>
      Effect.gen(function*() {
        const { publish } = yield* StageEvents
        // A start costs two requests, however many tasks there are: one for the project, and one for its states.
        yield* TestClock.adjust("1 seconds")
        yield* plane.forgetRequests
        for (const event of events(key)) {
          yield* publish(event)
          yield* TestClock.adjust(stageTakes)
        }
      }).pipe(
        Effect.provide(pipelineInMemory({ ORCH_PLANE_API_URL: url, ORCH_PLANE_API_TOKEN: token, ...settings }))
      )
    return yield* counted("plane-sync", run, spell, told)
  })

interface Way {
  readonly name: string
  readonly aim: number
  /** How often the work item itself may be changed. */
  readonly changes: number
  readonly settings: Settings
  readonly means: string
  readonly events?: typeof life
  readonly told?: Told
}

const spellings = [
  { name: "", means: "", more: 0, spell: (number: number) => `ET-${number}` },
  {
    name: ", key with leading zeros",
    means: "; a name like ET-002 costs one look more, once",
    more: 1,
    spell: (number: number) => `ET-${String(number).padStart(3, "0")}`
  }
]

const ways: ReadonlyArray<Way> = [
  {
    name: "requests: a task's life",
    aim: 12,
    changes: 3,
    settings: {},
    means: "how much of Plane's 60 a minute one task uses up"
  },
  {
    name: "requests: a task's life, force",
    aim: 11,
    changes: 3,
    settings: { ORCH_PLANE_ON_CONFLICT: "force" },
    means: "the same without the look that lets a person's cancel stand"
  },
  {
    name: "requests: a task's life, living and links",
    aim: 16,
    changes: 3,
    settings: { ORCH_PLANE_COMMENTS: "living" },
    events: linkedLife,
    told: livingAndLinks,
    means: "the same with a living comment and two links"
  }
]

/** How many of the 60 requests that Plane allows in a minute one task's life costs. */
export const row: Row = {
  name: "requests",
  description: "requests for one task's life, five minutes a stage",
  measure: Effect.gen(function*() {
    const way = yield* DirectWay.make(yield* PlaneSimulator)
    const direct = yield* counted(
      "the direct way",
      (key) => Effect.forEach(life(key), way.write, { discard: true }),
      (number) => `ET-${number}`
    )
    const figures = yield* Effect.forEach(
      ways.flatMap((way) => spellings.map((spelling) => ({ way, spelling }))),
      ({ spelling, way }) =>
        Effect.map(byPipeline(way, spelling.spell), ({ changes, requests }): ReadonlyArray<Figure> => [
          {
            row: way.name + spelling.name,
            value: requests,
            unit: "requests",
            aim: Aim.AtMost({ limit: way.aim + spelling.more }),
            beside: { what: "the direct way", value: direct.requests },
            means: way.means + spelling.means
          },
          {
            row: `${way.name}${spelling.name}: changes of the work item`,
            value: changes,
            unit: "requests",
            aim: Aim.AtMost({ limit: way.changes }),
            beside: { what: "the direct way", value: direct.changes },
            means: "for each of them Plane 1.4 mails those who follow the work item"
          }
        ])
    )
    return figures.flat()
  }).pipe(
    Effect.provide(Layer.provideMerge(PlaneSimulator.layerMemory({ rateLimit: "off" }), TestContext.TestContext))
  )
}
