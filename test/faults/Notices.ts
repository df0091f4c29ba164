import { Effect, Layer, Schema } from "effect"
import { createHmac } from "node:crypto"
import type { People } from "../../src/people/People.js"
import { peopleLayer } from "../../src/people/PeopleLayer.js"
import { Pipeline } from "../../src/tasks/Pipeline.js"
import { QualityGates } from "../../src/tasks/QualityGate.js"
import { Tasks } from "../../src/tasks/Tasks.js"
import { TaskStore } from "../../src/tasks/TaskStore.js"
import type { NoticeReceiver, Taken } from "../support/NoticeReceiver.js"
import type { Task } from "./Scene.js"

const secret = "signing key"

/** The settings that lead notices to a receiver. */
export const noticeSettingsOf = ({ url }: NoticeReceiver): Readonly<Record<string, string>> => ({
  ORCH_NOTICE_URL: url,
  ORCH_NOTICE_SECRET: secret
})

/** Tasks that ask, and what sends the notices. Nobody advances them. */
export const people = Layer.provideMerge(peopleLayer, Layer.provideMerge(Tasks.layer, TaskStore.layer)).pipe(
  Layer.provide(Layer.merge(
    Pipeline.layer([{ stage: "analysis", agent: "architect", gates: ["reported"] }, { stage: "done", gates: [] }]),
    QualityGates.layer([])
  ))
)

/** What a row does that has notices. */
export interface OnNotices {
  /** The agent of a task asks. */
  readonly ask: (task: Task) => Effect.Effect<void>
  /** Somebody answers the question. */
  readonly answer: (task: Task) => Effect.Effect<void>
  /** Waits until as many notices are taken as are owed. */
  readonly taken: Effect.Effect<void>
  readonly seen: ReadonlyArray<Taken>
  /** What is wrong with what was taken. */
  readonly problems: () => ReadonlyArray<string>
}

const Notice = Schema.parseJson(Schema.Struct({ id: Schema.String, type: Schema.String, workItem: Schema.String }))
const noticeOf = Schema.decodeSync(Notice)

const isTaken = ({ answer }: Taken) => answer === "ok" || answer === "resets"

/** The notices by their ids, in the order in which they were taken first. */
const takenOf = (seen: ReadonlyArray<Taken>) =>
  Array.from(
    new Map(
      seen.filter(isTaken).map(({ body }) => {
        const { id, type, workItem } = noticeOf(body)
        return [id, `${workItem} ${type}`] as const
      })
    )
  )

/** Judges a receiver by what was asked and answered: each notice is there, in that order, and its own by its id. */
export const makeOnNotices = (
  tasks: Tasks["Type"],
  asking: People["Type"],
  { seen }: NoticeReceiver
): OnNotices => {
  const owed: Array<string> = []
  return {
    ask: ({ key, lines }) =>
      Effect.gen(function*() {
        const question = `May ${key} go?`
        yield* tasks.start({ workItem: key })
        yield* asking.ask(key, { question, agent: "architect" })
        lines.push(`❓ architect asks: ${question}`)
        owed.push(`${key} opened`)
      }).pipe(Effect.orDie),
    answer: ({ key }) =>
      Effect.gen(function*() {
        yield* asking.answer(key, { text: "Yes", by: "lea" })
        owed.push(`${key} answered`)
      }).pipe(Effect.orDie),
    taken: Effect.sleep("50 millis").pipe(
      Effect.repeat({ until: () => takenOf(seen).length >= owed.length && seen.at(-1)?.answer === "ok" }),
      // One more would be too much.
      Effect.zipRight(Effect.sleep("1 second"))
    ),
    seen,
    problems: () => {
      const taken = takenOf(seen).map(([, words]) => words)
      const bodies = new Set(seen.map(({ body }) => body))
      const ids = new Set(seen.map(({ headers }) => headers["x-plane-sync-delivery"]))
      const settled = seen.filter(({ answer }) => answer === "ok")
      return [
        ...(taken.join() === owed.join() ? [] : [`notices: ${taken.join(", ")}; expected ${owed.join(", ")}`]),
        ...(bodies.size === ids.size ? [] : [`${ids.size} notices had ${bodies.size} bodies`]),
        ...(settled.length === owed.length ? [] : [`${settled.length} notices were answered 200 of ${owed.length}`]),
        ...seen.flatMap(({ body, headers, path }) =>
          headers["x-plane-sync-signature"] === createHmac("sha256", secret).update(body).digest("hex")
            ? path === "/hook/s3cret" ? [] : [`a notice went to ${path}`]
            : ["a notice was not signed"]
        )
      ]
    }
  }
}
