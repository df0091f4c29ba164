import type { Scope } from "effect"
import { Effect } from "effect"
import { stages } from "./Expectation.js"
import type { Delivery, Event, History } from "./History.js"
import { numbers } from "./History.js"
import { makeJumpingClock } from "./JumpingClock.js"
import { makeLedger, stageIndex } from "./Ledger.js"
import { makeProgram } from "./Program.js"
import { nothing, revertOf } from "./Texts.js"
import type { Hook, Pull } from "./World.js"
import { hasRights, makeWorld, people, repositories } from "./World.js"

/** How a history went. */
export interface Outcome {
  /** What is wrong with the program, if anything. */
  readonly problems: ReadonlyArray<string>
  /** What happened, a line for each event, for people. */
  readonly story: ReadonlyArray<string>
  /** Stages that were left. */
  readonly advances: number
}

/**
 * Runs a history against the program, a Plane and a forge, each on a socket. Ends with the first thing that is wrong.
 */
export const run = ({ rules, saysDraft, steps }: History) =>
  Effect.gen(function*() {
    const clock = makeJumpingClock()
    const { jump, now } = clock
    const world = yield* makeWorld({ protection: rules.protection, saysDraft, version: rules.version }, now)
    const ledger = makeLedger(world, rules, now)
    const story: Array<string> = []
    const problems: Array<string> = []
    const program = yield* makeProgram(rules, world, clock, (words) => void problems.push(words))
    const late: Array<Hook> = []
    let advances = 0

    const heard = (hook: Hook, times = 1) =>
      Effect.zipRight(
        program.deliver({ source: "gitea", event: hook.event, body: hook.body }, times),
        Effect.sync(() => ledger.heard(hook))
      )

    const judge = Effect.gen(function*() {
      yield* program.rest
      ledger.moment()
      const tasks = yield* program.shown
      for (const number of numbers) {
        const before = ledger.seen(number)
        const after = tasks.get(`ET-${number}`)
        const wrong = ledger.judge(number, after)
        problems.push(...wrong)
        if (after !== undefined && (before?.stage !== after.stage || before.status !== after.status)) {
          story.push(`  ET-${number}: ${after.status} at ${after.stage}`)
          advances += before === undefined ? 0 : Math.max(0, stageIndex(after.stage) - stageIndex(before.stage))
        }
        story.push(...wrong.map((line) => `  WRONG: ${line}`))
        if (wrong.length > 0) {
          for (const { gate, reason, verdict } of after?.verdicts ?? []) {
            story.push(`    ${gate} ${verdict}: ${reason ?? ""}`)
          }
        }
      }
    })

    const pass = (minutes: number) =>
      Effect.map(program.pass(minutes), () => {
        if (minutes > 10) ledger.asked()
      })

    const tell = (hooks: ReadonlyArray<Hook>, delivery: Delivery) =>
      Effect.forEach(hooks, (hook) => {
        // What was never told of, and is over, nobody can find.
        const isLast = hook.state !== undefined && hook.state !== "open" && hook.pull !== undefined &&
          !ledger.isKnown(hook.pull)
        ledger.moment()
        switch (delivery) {
          case "once":
            return heard(hook)
          case "twice":
            return heard(hook, 2)
          case "lost":
            if (isLast) return heard(hook)
            return Effect.sync(ledger.unheard)
          case "late":
            ledger.unheard()
            return Effect.sync(() => late.push(hook))
        }
      }, { discard: true })

    const release = Effect.gen(function*() {
      for (const hook of late.splice(0).reverse()) yield* heard(hook)
      yield* program.releaseEchoes
    })

    const nameOf = (pull: Pull) => `${pull.repository.name.split("/")[1] ?? ""}#${pull.number}`

    const pullAt = (n: number, ...states: ReadonlyArray<Pull["state"]>): Pull | undefined => {
      const some = world.pulls.filter(({ state }) => states.includes(state))
      // Those that came last are what most is about.
      return some.at(-1 - n % Math.max(1, some.length))
    }

    const baseOf = (base: string, pull: Pick<Pull, "repository">) =>
      base === "default" ? pull.repository.defaultBranch : base

    /** Does what happens, if it can. What it tells; none if it could not happen. */
    const take = (event: Event, delivery: Delivery): Effect.Effect<string | undefined, unknown, Scope.Scope> =>
      Effect.gen(function*() {
        const say = (pull: Pull | undefined, words: string, act: (pull: Pull) => ReadonlyArray<Hook>) =>
          Effect.gen(function*() {
            if (pull === undefined) return undefined
            yield* tell(act(pull), delivery)
            return `${nameOf(pull)} ${words} (${delivery})`
          })
        switch (event.do) {
          case "open": {
            const { author, base, body, branch, fork, second, title } = event
            const repository = repositories[second ? 1 : 0]
            if (world.pulls.filter(({ state }) => state === "open").length >= 5) return undefined
            const hooks = world.open({
              repository,
              author,
              fork,
              said: { branch, title, body },
              base: baseOf(base, { repository })
            })
            yield* tell(hooks, delivery)
            const words = JSON.stringify([branch.text, title.text, body.text])
            return `${repository.name}#${world.pulls.at(-1)?.number ?? 0} by ${author} into ${base}${
              fork ? " from a fork" : ""
            }: ${words} (${delivery})`
          }
          case "revert": {
            const of = pullAt(event.pull, "merged")
            if (of === undefined) return undefined
            const said = {
              branch: nothing(`revert-${of.number}-${of.base}`),
              title: revertOf(of.said.title),
              body: nothing("")
            }
            yield* tell(
              world.open({ repository: of.repository, author: "jonas", fork: false, said, base: of.base }),
              delivery
            )
            return `${nameOf(of)} is to be reverted by #${world.pulls.at(-1)?.number ?? 0} (${delivery})`
          }
          case "push":
            return yield* say(pullAt(event.pull, "open"), "is pushed to", world.push)
          case "close":
            return yield* say(pullAt(event.pull, "open"), "is closed", world.close)
          case "reopen":
            return yield* say(pullAt(event.pull, "closed"), "is reopened", world.reopen)
          case "merge": {
            const pull = pullAt(event.pull, "open")
            // Gitea merges no draft.
            if (pull === undefined || pull.said.title.draft === true) return undefined
            return yield* say(pull, "is merged", (pull) => {
              ledger.merged(pull)
              return world.merge(pull)
            })
          }
          case "green":
            return yield* say(pullAt(event.pull, "open"), "is green", (pull) =>
              ["ci/build", "ci/test"].flatMap((context) =>
                world.check(pull, context, "success")
              ))
          case "ready":
            return yield* say(pullAt(event.pull, "open"), "is green and approved", (pull) => [
              ...["ci/build", "ci/test"].flatMap((context) => world.check(pull, context, "success")),
              ...people.filter((by) => hasRights(by) && by !== pull.author)
                .flatMap((by) => world.review(pull, by, true))
            ])
          case "check": {
            const { context, state } = event
            return yield* say(pullAt(event.pull, "open"), `${context}: ${state}`, (pull) =>
              world.check(pull, context, state))
          }
          case "review": {
            const { approved, by } = event
            const pull = pullAt(event.pull, "open")
            // Gitea takes no word of an author.
            if (pull?.author === by) {
              return undefined
            }
            return yield* say(pull, `${approved ? "approved" : "refused"} by ${by}`, (pull) =>
              world.review(pull, by, approved))
          }
          case "dismiss": {
            const pull = pullAt(event.pull, "open")
            const some = pull?.reviews.filter(({ by, dismissed }) =>
              by === event.by && !dismissed
            ) ?? []
            if (!rules.token || pull === undefined || some.length === 0) {
              return undefined
            }
            for (const review of some) {
              review.dismissed = true
            }
            ledger.unheard()
            return `${nameOf(pull)}: reviews of ${event.by} are dismissed`
          }
          case "retitle": {
            const { title } = event
            const pull = world.pulls.at(-1 - event.pull % Math.max(1, world.pulls.length))
            // Before the merge was heard of, nobody can tell what it was called then.
            if (pull === undefined || (pull.state === "merged" && !ledger.isFixed(pull))) {
              return undefined
            }
            return yield* say(pull, `is called ${JSON.stringify(title.text)}`, (pull) =>
              world.edit(pull, { title }))
          }
          case "rewrite": {
            const { body } = event
            return yield* say(pullAt(event.pull, "open"), `says ${JSON.stringify(body.text)}`, (pull) =>
              world.edit(pull, { body }))
          }
          case "retarget": {
            const { base } = event
            return yield* say(pullAt(event.pull, "open"), `goes into ${base}`, (pull) =>
              world.edit(pull, { base: baseOf(base, pull) }))
          }
          case "move": {
            const { item, to } = event
            yield* judge
            if (!(yield* program.move(item, to))) {
              return undefined
            }
            ledger.move(item, to)
            ledger.moment()
            yield* Effect.sleep("5 millis")
            yield* program.pump
            jump(3_000)
            return `ET-${item} is moved to a state that is ${to}`
          }
          case "start": {
            const { item } = event
            yield* judge
            ledger.move(item, "started")
            ledger.moment()
            yield* program.post("", { workItem: `ET-${item}` })
            jump(3_000)
            return `ET-${item} is started by hand`
          }
          case "report": {
            const { ahead, item, passed } = event
            const task = ledger.seen(item)
            const stage = task === undefined ? undefined : stages[stageIndex(task.stage) + ahead]
            if (task?.status === "done" || stage === undefined || stage === "done") {
              return undefined
            }
            ledger.report(item, stage, passed)
            ledger.moment()
            yield* program.post(`/ET-${item}/report`, {
              stage,
              outcome: passed ? "passed" : "failed",
              reason: "so it is"
            })
            return `ET-${item}: ${stage} is reported ${passed ? "passed" : "failed"}`
          }
          case "wait":
            yield* pass(event.minutes)
            return `${event.minutes} minutes pass`
          case "redeliver": {
            const again = yield* program.redeliver(event.hook, event.isMove)
            if (again === undefined) {
              return undefined
            }
            const { action } = JSON.parse(again.body) as { readonly action?: string }
            return `a hook of ${again.source} comes again: ${again.event} ${action ?? ""}`
          }
          case "restart":
            yield* program.rest
            yield* program.restart
            return "the program is started anew"
          case "release":
            if (late.length === 0 && !program.hasLateEchoes()) {
              return undefined
            }
            yield* release
            return "late hooks come"
        }
      })

    for (const { delivery, event, hurried } of steps) {
      jump(3_000)
      ledger.moment()
      const told = yield* take(event, delivery)
      if (told === undefined) {
        continue
      }
      story.push(told)
      ledger.moment()
      if (!hurried) {
        yield* judge
      }
      if (problems.length > 0) {
        return { problems, story, advances }
      }
    }
    yield* release
    story.push("the end: all that is late comes, and the time passes")
    yield* judge
    yield* pass(12)
    yield* judge
    yield* pass(12)
    yield* judge
    problems.push(...yield* program.mistold)
    return { problems, story, advances }
  }).pipe(Effect.scoped)
