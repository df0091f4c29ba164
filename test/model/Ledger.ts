/**
 * What the tasks may be by now, held against what they are. The program learns of facts at moments of its own, so a
 * task may be anywhere between where it was when all was at rest, and as far as its gates have held since. Where the
 * program can know everything, the task must be as far as its gates go.
 */
import type { Answer, Group, Rules, StageName, TaskFacts, TaskStatus } from "./Expectation.js"
import { afterMove, answersOf, stages } from "./Expectation.js"
import { numbers } from "./History.js"
import type { Said } from "./Texts.js"
import { aboutOf } from "./Texts.js"
import type { Hook, Pull, Repository, World } from "./World.js"
import { repositories } from "./World.js"

/** A task as the program shows it. */
export interface TaskSeen {
  readonly stage: StageName
  readonly status: TaskStatus
}

interface Held extends TaskFacts {
  /** Where it was at the last rest. */
  stage: StageName
  statuses: ReadonlyArray<TaskStatus>
  startedAt: number
  readonly reports: Map<StageName, "passed" | "failed">
  /** Gates that held at some moment since then, by stage and place. */
  readonly held: Set<string>
}

/** What the program may take a pull request to say; undefined: it may not know it. */
interface Believed {
  readonly texts: Set<Said | undefined>
  /** Of a merged one: what it was about then (4). */
  about: ReadonlySet<number> | undefined
  /** The program has heard of the merge. */
  isFixed: boolean
}

export const stageIndex = (stage: StageName): number => stages.indexOf(stage)

/** Each way to take some of them. */
const choices = <A>([first, ...rest]: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> => {
  if (first === undefined) return [[]]
  const others = choices(rest)
  return [...others, ...others.map((some) => [first, ...some])]
}

export const makeLedger = (world: Pick<World, "pulls" | "statuses">, rules: Rules, now: () => number) => {
  const tasks = new Map<number, Held>()
  const beliefs = new Map<Pull, Believed>()
  const knownRepositories = new Set<Repository>(rules.second ? [] : [repositories[0]])
  let isUnsure = false

  const believed = (pull: Pull): Believed => {
    const found = beliefs.get(pull) ?? { texts: new Set([undefined]), about: undefined, isFixed: false }
    beliefs.set(pull, found)
    return found
  }

  const aboutNow = (pull: Pull): ReadonlySet<number> => believed(pull).about ?? aboutOf(pull.said)

  const isKnown = (pull: Pull): boolean => {
    const { isFixed, texts } = believed(pull)
    return isFixed || (texts.size === 1 && texts.has(pull.said))
  }

  /** The pull requests of a task, and those that the program may or may not take for its own. */
  const pullsOf = (number: number) => {
    const sure: Array<Pull> = []
    const unsure: Array<Pull> = []
    for (const pull of world.pulls.filter(({ state }) => state !== "closed")) {
      const isAbout = aboutNow(pull).has(number)
      const taken = isKnown(pull)
        ? [isAbout]
        : [isAbout, ...[...believed(pull).texts].map((text) => text !== undefined && aboutOf(text).has(number))]
      if (taken.every(Boolean)) sure.push(pull)
      else if (taken.some(Boolean)) unsure.push(pull)
    }
    return { sure, unsure }
  }

  const answers = (held: Held, stage: StageName, pulls: ReadonlyArray<Pull>): ReadonlyArray<Answer> =>
    answersOf(stage, held, pulls, world, rules, now())

  const begin = (number: number) =>
    void tasks.set(number, {
      stage: "created",
      statuses: ["active"],
      startedAt: now(),
      reports: new Map(),
      held: new Set()
    })

  /** Any moment counts for what gates may hold. */
  const moment = () => {
    for (const [number, held] of tasks) {
      const { sure, unsure } = pullsOf(number)
      for (const some of choices(unsure)) {
        for (const stage of stages) {
          answers(held, stage, [...sure, ...some]).forEach(({ may }, place) => {
            if (may) held.held.add(`${stage} ${place}`)
          })
        }
      }
    }
  }

  const mayLeave = (held: Held, stage: StageName) =>
    stage !== "done" && answers(held, stage, []).every((_, place) => held.held.has(`${stage} ${place}`))

  const furthest = (held: Held): number => {
    let index = stageIndex(held.stage)
    for (let stage = stages[index]; stage !== undefined && mayLeave(held, stage); stage = stages[index]) index += 1
    return index
  }

  const isRight = (held: Held, seen: TaskSeen) =>
    held.statuses.some((status) =>
      status !== "active"
        ? seen.stage === held.stage && seen.status === status
        : seen.status === (seen.stage === "done" ? "done" : "active") &&
          stageIndex(seen.stage) >= stageIndex(held.stage) && stageIndex(seen.stage) <= furthest(held)
    )

  /** Whether the program must know all that concerns a task. */
  const mustKnow = (number: number) =>
    !isUnsure &&
    world.pulls.every((pull) => pull.state === "closed" || isKnown(pull) || !pullsOf(number).unsure.includes(pull))

  return {
    moment,
    isKnown,
    isFixed: (pull: Pull) => believed(pull).isFixed,
    /** A merge: what the pull request is about is fixed. */
    merged: (pull: Pull) => {
      believed(pull).about = aboutOf(pull.said)
    },
    /** Something has happened of which the program does not hear now. */
    unheard: () => {
      isUnsure = true
    },
    heard: ({ pull, repository, said, state }: Hook) => {
      knownRepositories.add(repository)
      if (pull === undefined) return
      const belief = believed(pull)
      belief.isFixed ||= state === "merged"
      if (isKnown(pull)) return
      if (said === pull.said) belief.texts.clear()
      belief.texts.add(said)
    },
    /** The time after which Gitea was asked about everything that is open (23). */
    asked: () => {
      if (!rules.token) return
      isUnsure = false
      for (const pull of world.pulls) {
        if (pull.state !== "open" || !knownRepositories.has(pull.repository)) continue
        const { texts } = believed(pull)
        texts.clear()
        texts.add(pull.said)
      }
    },
    /** A person moves a work item that was at rest; or starts its task by hand, which is the same as a move. */
    move: (number: number, group: Group) => {
      const held = tasks.get(number)
      if (held === undefined) {
        if (group === "started") begin(number)
        return
      }
      const after = new Set(held.statuses.flatMap((status) => afterMove({ stage: held.stage, status }, group)))
      if (after.has("anew")) begin(number)
      else held.statuses = [...after].filter((status) => status !== "anew")
    },
    report: (number: number, stage: StageName, passed: boolean) =>
      tasks.get(number)?.reports.set(stage, passed ? "passed" : "failed"),
    /** What was seen of a task at the last rest. */
    seen: (number: number): TaskSeen | undefined => {
      const held = tasks.get(number)
      const [status] = held?.statuses ?? []
      return held === undefined || status === undefined ? undefined : { stage: held.stage, status }
    },
    /** What is wrong with a task as it is at rest; and takes it as it is. */
    judge: (number: number, seen: TaskSeen | undefined): ReadonlyArray<string> => {
      const held = tasks.get(number)
      if (held === undefined || seen === undefined) {
        return held === seen ? [] : [`ET-${number} is ${seen === undefined ? "not there" : "there"}`]
      }
      const problems: Array<string> = []
      if (!isRight(held, seen)) {
        const most = stages[furthest(held)] ?? "done"
        problems.push(
          `ET-${number} is ${seen.status} at ${seen.stage}; right would be ${held.statuses.join(" or ")} at ` +
            `${held.stage}, or active from there to ${most}`
        )
      }
      held.stage = seen.stage
      held.statuses = [seen.status]
      held.held.clear()
      const must = seen.status === "active" && mustKnow(number) &&
        answers(held, seen.stage, pullsOf(number).sure).every(({ must }) => must)
      if (must) problems.push(`ET-${number} stays at ${seen.stage}, although all its gates hold`)
      return problems
    },
    numbers
  }
}

export type Ledger = ReturnType<typeof makeLedger>
