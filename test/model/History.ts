import { FastCheck } from "effect"
import type { Group, Rules } from "./Expectation.js"
import type { Text } from "./Texts.js"
import { branches, claims, descriptions, nothing, titles } from "./Texts.js"
import type { Person } from "./World.js"
import { people } from "./World.js"

/** The work items: keys that begin alike. */
export const numbers = [1, 2, 20] as const

/** What becomes of the hooks of a step. */
export type Delivery = "once" | "twice" | "lost" | "late"

/** What happens. A pull request, or an old hook, is one of those that there are by then. */
export type Event =
  | {
    readonly do: "open"
    readonly second: boolean
    readonly author: Person
    readonly fork: boolean
    readonly base: Base
    readonly branch: Text
    readonly title: Text
    readonly body: Text
  }
  | { readonly do: "push" | "close" | "reopen" | "merge" | "revert" | "green" | "ready"; readonly pull: number }
  | { readonly do: "check"; readonly pull: number; readonly context: string; readonly state: string }
  | { readonly do: "review"; readonly pull: number; readonly by: Person; readonly approved: boolean }
  /** Somebody's reviews are dismissed, of which no hook tells. */
  | { readonly do: "dismiss"; readonly pull: number; readonly by: Person }
  | { readonly do: "retitle"; readonly pull: number; readonly title: Text }
  | { readonly do: "rewrite"; readonly pull: number; readonly body: Text }
  | { readonly do: "retarget"; readonly pull: number; readonly base: Base }
  | { readonly do: "move"; readonly item: number; readonly to: Group }
  | { readonly do: "start"; readonly item: number }
  /** On the stage where the task is; or on one that it has not reached. */
  | { readonly do: "report"; readonly item: number; readonly ahead: number; readonly passed: boolean }
  | { readonly do: "wait"; readonly minutes: number }
  /** A hook that was delivered before; that of a person's move, or of whichever sender. */
  | { readonly do: "redeliver"; readonly hook: number; readonly isMove: boolean }
  | { readonly do: "restart" }
  /** Hooks that are late come now, the last first. */
  | { readonly do: "release" }

export type Base = "default" | "feature/epic" | "release/1"

export interface Step {
  readonly event: Event
  readonly delivery: Delivery
  /** The next event happens before anything has come to rest. */
  readonly hurried: boolean
}

export interface History {
  readonly rules: Rules
  readonly saysDraft: boolean
  readonly steps: ReadonlyArray<Step>
}

const { boolean, constant, constantFrom, nat, oneof, option, record } = FastCheck

const item = constantFrom(...numbers)
const person = constantFrom<Person>(...people)
// Counted from the newest.
const pull = constantFrom(0, 0, 0, 1, 1, 2, 3)

const textOf = (variants: ReadonlyArray<(one: number, other: number) => Text>) =>
  FastCheck.tuple(constantFrom(...variants), item, item).map(([variant, one, other]) =>
    variant(one, one === other ? (one === 2 ? 20 : 2) : other)
  )

const base: FastCheck.Arbitrary<Base> = oneof(
  { weight: 8, arbitrary: constant<Base>("default") },
  { weight: 1, arbitrary: constant<Base>("feature/epic") },
  { weight: 1, arbitrary: constant<Base>("release/1") }
)

const rarely = oneof({ weight: 9, arbitrary: constant(false) }, { weight: 1, arbitrary: constant(true) })

const saying = oneof(
  {
    weight: 2,
    arbitrary: item.map((number) => ({
      branch: claims(`feature/et-${number}-climb`, number),
      title: nothing("North climb"),
      body: nothing("")
    }))
  },
  { weight: 3, arbitrary: record({ branch: textOf(branches), title: textOf(titles), body: textOf(descriptions) }) }
)

const opening: FastCheck.Arbitrary<Event> = FastCheck.tuple(
  record({
    do: constant("open" as const),
    second: boolean(),
    author: constantFrom<Person>("marta", "marta", "jonas"),
    fork: rarely,
    base
  }),
  saying
).map(([rest, said]) => ({ ...rest, ...said }))

const event: FastCheck.Arbitrary<Event> = oneof(
  { weight: 12, arbitrary: opening },
  { weight: 10, arbitrary: record({ do: constant("green" as const), pull }) },
  { weight: 14, arbitrary: record({ do: constant("ready" as const), pull }) },
  { weight: 10, arbitrary: record({ do: constant("merge" as const), pull }) },
  {
    weight: 14,
    arbitrary: record({
      do: constant("review" as const),
      pull,
      by: person,
      approved: oneof({ weight: 4, arbitrary: constant(true) }, { weight: 1, arbitrary: constant(false) })
    })
  },
  {
    weight: 8,
    arbitrary: record({
      do: constant("check" as const),
      pull,
      context: constantFrom("ci/build", "ci/test", "lint"),
      state: constantFrom("success", "success", "pending", "failure", "error", "skipped", "warning", "bogus")
    })
  },
  {
    weight: 12,
    arbitrary: record({
      do: constant("report" as const),
      item,
      ahead: constantFrom(0, 0, 0, 1, 4),
      passed: oneof({ weight: 5, arbitrary: constant(true) }, { weight: 1, arbitrary: constant(false) })
    })
  },
  {
    weight: 8,
    arbitrary: record({
      do: constant("move" as const),
      item,
      to: constantFrom<Group>(
        "started",
        "started",
        "started",
        "backlog",
        "unstarted",
        "completed",
        "cancelled"
      )
    })
  },
  { weight: 3, arbitrary: record({ do: constant("start" as const), item }) },
  { weight: 7, arbitrary: record({ do: constant("push" as const), pull }) },
  { weight: 3, arbitrary: record({ do: constant("close" as const), pull }) },
  { weight: 2, arbitrary: record({ do: constant("reopen" as const), pull }) },
  { weight: 3, arbitrary: record({ do: constant("revert" as const), pull }) },
  { weight: 1, arbitrary: record({ do: constant("dismiss" as const), pull, by: person }) },
  { weight: 6, arbitrary: record({ do: constant("retitle" as const), pull, title: textOf(titles) }) },
  { weight: 2, arbitrary: record({ do: constant("rewrite" as const), pull, body: textOf(descriptions) }) },
  { weight: 2, arbitrary: record({ do: constant("retarget" as const), pull, base }) },
  { weight: 5, arbitrary: record({ do: constant("wait" as const), minutes: constantFrom(1, 3, 12) }) },
  { weight: 4, arbitrary: record({ do: constant("redeliver" as const), hook: nat(15), isMove: boolean() }) },
  { weight: 2, arbitrary: record({ do: constant("restart" as const) }) },
  { weight: 2, arbitrary: record({ do: constant("release" as const) }) }
)

const calmly = (event: Event): Step => ({ event, delivery: "once", hurried: false })

/** A task comes to development, where most of the rules begin. */
const beginning = (item: number): ReadonlyArray<Step> =>
  [
    { do: "move", item, to: "started" } as const,
    { do: "report", item, ahead: 0, passed: true } as const,
    { do: "report", item, ahead: 0, passed: true } as const
  ].map(calmly)

const stepsOf = (delivery: FastCheck.Arbitrary<Delivery>): FastCheck.Arbitrary<ReadonlyArray<Step>> =>
  oneof(
    { weight: 12, arbitrary: record({ event, delivery, hurried: rarely }).map((step) => [step]) },
    { weight: 1, arbitrary: item.map(beginning) }
  )

const rules = (token: boolean): FastCheck.Arbitrary<Rules> =>
  record({
    token: constant(token),
    version: constantFrom("1.22.6", "1.24.2", "28.0.0"),
    protection: option(
      record({
        approvals: constantFrom(0, 1, 2),
        checks: constantFrom(undefined, ["ci/build", "ci/test"], ["ci/*"])
      }),
      { nil: undefined }
    ),
    checks: constantFrom<ReadonlyArray<string>>([], [], ["ci/build", "ci/test"], ["ci/build", "ci/t*"]),
    reviewers: constantFrom<ReadonlyArray<string>>([], [], ["jonas", "otto"]),
    forks: boolean(),
    releases: boolean(),
    second: oneof({ weight: 4, arbitrary: constant(true) }, { weight: 1, arbitrary: constant(false) })
  })

const historiesOf = (token: boolean, delivery: FastCheck.Arbitrary<Delivery>): FastCheck.Arbitrary<History> =>
  record({
    rules: rules(token),
    saysDraft: boolean(),
    begun: FastCheck.subarray([...numbers]),
    opened: FastCheck.array(opening, { maxLength: 3 }),
    steps: FastCheck.array(stepsOf(delivery), { minLength: 15, maxLength: 35, size: "max" })
  }).map(({ begun, opened, steps, ...rest }) => ({
    ...rest,
    steps: [...begun.flatMap(beginning), ...opened.map(calmly), ...steps.flat()]
  }))

/** Gitea can be asked, so hooks may be lost. */
export const asked = historiesOf(
  true,
  oneof(
    { weight: 7, arbitrary: constant<Delivery>("once") },
    { weight: 1, arbitrary: constant<Delivery>("twice") },
    { weight: 2, arbitrary: constant<Delivery>("lost") },
    { weight: 2, arbitrary: constant<Delivery>("late") }
  )
)

/** Gitea cannot be asked: what its hooks say is all that is known. */
export const unasked = historiesOf(
  false,
  oneof(
    { weight: 7, arbitrary: constant<Delivery>("once") },
    { weight: 1, arbitrary: constant<Delivery>("twice") }
  )
)

const plain: Rules = {
  token: true,
  version: "1.24.2",
  protection: undefined,
  checks: ["ci/build", "ci/test"],
  reviewers: [],
  forks: false,
  releases: false,
  second: true
}

const opened = (number: number): Event => ({
  do: "open",
  second: false,
  author: "marta",
  fork: false,
  base: "default",
  branch: claims(`feature/et-${number}-climb`, number),
  title: nothing("North climb"),
  body: nothing("")
})

const told = (...events: ReadonlyArray<Event>): ReadonlyArray<Step> => events.map(calmly)
const lost = (event: Event): Step => ({ event, delivery: "lost", hurried: false })
const newest = { pull: 0 } as const
const tested: Event = { do: "report", item: 2, ahead: 0, passed: true }

/** Histories that random ones seldom have, by what they are about. */
export const rare: Readonly<Record<string, ReadonlyArray<Step>>> = {
  "a push takes an approval away (14)": [
    ...beginning(2),
    ...told(
      opened(2),
      { do: "ready", ...newest },
      { do: "push", ...newest },
      { do: "green", ...newest },
      tested,
      { do: "review", ...newest, by: "jonas", approved: true }
    )
  ],
  "a dismissal, of which no hook tells, takes an approval away (7)": [
    ...beginning(2),
    ...told(
      opened(2),
      { do: "review", ...newest, by: "jonas", approved: true },
      { do: "dismiss", ...newest, by: "jonas" },
      { do: "green", ...newest },
      { do: "wait", minutes: 12 },
      tested
    )
  ],
  "a title of after the merge names nobody (4)": [
    ...beginning(2),
    ...told(
      opened(1),
      { do: "merge", ...newest },
      { do: "retitle", ...newest, title: claims("ET-2: north climb", 2) },
      { do: "redeliver", hook: 0, isMove: false },
      { do: "wait", minutes: 12 }
    )
  ],
  "a pull request of which no hook tells is found, and holds the task of a merge back (2, 23)": [
    ...beginning(2),
    ...told(opened(1)),
    lost(opened(2)),
    ...told({ do: "wait", minutes: 12 }, opened(2), { do: "merge", ...newest }, { do: "wait", minutes: 12 }),
    lost({ do: "merge", ...newest })
  ],
  "a task that starts anew does not end by the merge of before (3)": [
    ...beginning(2),
    ...told(opened(2), { do: "merge", ...newest }, { do: "move", item: 2, to: "started" }),
    ...beginning(2),
    ...told({ do: "wait", minutes: 12 })
  ]
}

/** The history of these steps, with a Gitea that can be asked. */
export const plainly = (steps: ReadonlyArray<Step>): History => ({ rules: plain, saysDraft: true, steps })
