import { afterAll, describe, it } from "@effect/vitest"
import axe from "axe-core"
import type { Scope } from "effect"
import { Effect, Exit, Schema, Scope as Scopes } from "effect"
import type { Browser, BrowserContextOptions, Page } from "playwright-core"
import { chromium } from "playwright-core"
import { chromium as installed, chromiumOptions, notInBrowser } from "../support/Chromium.js"

/** A tab in a browser that knows nothing of any other, with what has gone wrong in it and what it has asked for. */
export interface Tab {
  readonly page: Page
  /** Errors of scripts, of the policy, and of what could not be loaded. */
  readonly wrong: ReadonlyArray<string>
  readonly requested: ReadonlyArray<string>
}

interface OnPage {
  readonly scoped: (
    name: string,
    run: (open: Open) => Effect.Effect<void, unknown, Scope.Scope>
  ) => void
}

/** Opens an address in a new tab. */
export type Open = (url: string, options?: BrowserContextOptions) => Effect.Effect<Tab, never, Scope.Scope>

/** A step that a person does, which fails the test when it is not done within 10 s. */
export const does = <A>(step: () => Promise<A>): Effect.Effect<A> => Effect.promise(step)

const patience = 20_000

const opening = (browser: Effect.Effect<Browser>): Open => (url, options = {}) =>
  Effect.gen(function*() {
    const running = yield* browser
    const context = yield* Effect.acquireRelease(
      does(() => running.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: "reduce", ...options })),
      (context) => does(() => context.close())
    )
    const page = yield* does(() => context.newPage())
    page.setDefaultTimeout(patience)
    const wrong: Array<string> = []
    const requested: Array<string> = []
    page.on("console", (message) => {
      if (message.type() !== "error" && message.type() !== "warning") return
      wrong.push(`${message.text()} (${message.location().url})`)
    })
    page.on("pageerror", (error) => wrong.push(error.message))
    page.on("request", (request) => requested.push(request.url()))
    yield* does(() => page.goto(url))
    return { page, wrong, requested }
  })

/** Tests in a real browser, one for all of a file. Without one they are skipped, and the run's end says so. */
export const onPage = (name: string, tests: (it: OnPage) => void): void => {
  const executablePath = installed
  if (executablePath === undefined) {
    describe.skip(`${name}${notInBrowser}`, () => tests({ scoped: (name) => it.skip(name, () => undefined) }))
    return
  }
  describe(name, () => {
    const scope = Effect.runSync(Scopes.make())
    const browser = Effect.runSync(Effect.cached(
      Effect.acquireRelease(
        does(() => chromium.launch({ executablePath, args: [...chromiumOptions] })),
        (browser) => does(() => browser.close())
      ).pipe(Scopes.extend(scope))
    ))
    afterAll(() => Effect.runPromise(Scopes.close(scope, Exit.void)))
    tests({ scoped: (name, run) => it.scopedLive(name, () => run(opening(browser))) })
  })
}

/** What axe has to say against what is shown, as its rule with the elements. */
export const violations = (page: Page): Effect.Effect<ReadonlyArray<string>> =>
  does(async () => {
    // By the debugger, because the policy of the page lets no foreign script in.
    await page.evaluate(axe.source)
    return page.evaluate<ReadonlyArray<string>>(`axe.run().then(({ violations }) =>
      violations.map(({ id, nodes }) => id + ": " + nodes.slice(0, 3).map(({ html, failureSummary }) =>
        html.slice(0, 200) + " " + failureSummary).join(" | ")))`)
  })

const Trace = Schema.parseJson(Schema.Struct({
  traceEvents: Schema.Array(Schema.Struct({
    name: Schema.String,
    pid: Schema.Number,
    tid: Schema.Number,
    tdur: Schema.optional(Schema.Number),
    args: Schema.optional(Schema.Struct({ name: Schema.optional(Schema.Unknown) }))
  }))
}))

/**
 * Begins to record what a tab's main thread does. The effect within ends that: the longest task, in milliseconds of the
 * processor, which do not grow when the machine does other things, too.
 */
export const tracing = (page: Page): Effect.Effect<Effect.Effect<number>> =>
  does(async () => {
    const browser = page.context().browser()
    await browser?.startTracing(page, { categories: ["toplevel", "disabled-by-default-devtools.timeline"] })
    return does(async () => {
      const recorded = await browser?.stopTracing()
      const { traceEvents } = Schema.decodeSync(Trace)(recorded?.toString() ?? "")
      const mains = traceEvents.filter(({ args, name }) => name === "thread_name" && args?.name === "CrRendererMain")
      const tasks = traceEvents.filter(({ name, pid, tid }) =>
        name.endsWith("RunTask") && mains.some((main) => main.pid === pid && main.tid === tid)
      )
      if (tasks.length === 0) throw new Error("the trace has no task: Chromium names them otherwise by now")
      return Math.max(...tasks.map(({ tdur = 0 }) => tdur)) / 1000
    })
  })
