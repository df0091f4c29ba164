import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { served, withPlane } from "../http/Server.js"
import type { Answers } from "./Fixtures.js"
import { calm, hostile, many, trouble } from "./Fixtures.js"
import { does, onPage, tracing, violations } from "./OnPage.js"
import { stub } from "./Stub.js"

/** The page of the real program, above an API that answers as given. */
const showing = (answers: (now: number) => Answers) =>
  Effect.flatMap(served(), (url) => stub(url, () => answers(Date.now())))

onPage("the page", (it) => {
  it.scoped("names each need with what mends it, and loads nothing from elsewhere", (open) =>
    Effect.gen(function*() {
      const { url } = yield* showing(trouble)
      const { page, requested, wrong } = yield* open(url)
      yield* does(() => page.locator(".live:not(.is-off)").waitFor())
      assert.strictEqual(yield* does(() => page.title()), "5 need you · plane-sync")
      const needs = yield* does(() => page.locator(".need").allInnerTexts())
      assert.lengthOf(needs, 5)
      assert.include(needs[0], "403 Given API token is not valid")
      assert.include(needs[0], "ORCH_PLANE_API_TOKEN")
      assert.include(needs[1], "Comment /answer and your words on ET-5")
      assert.include(needs[2], "climb < 0 m & drawn anyway")
      assert.include(yield* does(() => page.locator(".condition").innerText()), "41 of 60 requests used, 19 free")
      assert.strictEqual(yield* does(() => page.locator(".replicas, #replicas tbody tr").count()), 3)
      assert.deepStrictEqual(wrong, [])
      assert.deepStrictEqual(requested.filter((one) => !one.startsWith(`${url}/`) && !one.startsWith("data:")), [])
      assert.isFalse(requested.some((one) => /token/i.test(one)))
    }).pipe(withPlane))

  for (
    const [name, options] of [
      ["light", {}],
      ["dark", { colorScheme: "dark" }],
      ["400 px wide", { viewport: { width: 400, height: 900 } }]
    ] as const
  ) {
    it.scoped(`is readable by all, ${name}`, (open) =>
      Effect.gen(function*() {
        const own = yield* showing(trouble)
        const { page } = yield* open(own.url, options)
        yield* does(() => page.locator("#day").waitFor())
        assert.deepStrictEqual(yield* violations(page), [])
        const wider = `document.documentElement.scrollWidth - document.documentElement.clientWidth`
        assert.strictEqual(yield* does(() => page.evaluate(wider)), 0)
        yield* does(() => page.getByRole("button", { name: "Retry all 14" }).click())
        assert.deepStrictEqual(yield* violations(page), [])
        yield* does(() => page.keyboard.press("Escape"))
        yield* does(() => page.goto(`${own.url}/#/item/ET-2`))
        yield* does(() => page.getByText("no answer in 10 s, may have been done").waitFor())
        assert.deepStrictEqual(yield* violations(page), [])
        assert.strictEqual(yield* does(() => page.evaluate(wider)), 0)
        own.answers = () => calm(Date.now())
        yield* does(() => page.goto(`${own.url}/#/`))
        yield* does(() => page.getByText("No question is open").waitFor())
        assert.deepStrictEqual(yield* violations(page), [])
      }).pipe(withPlane))
  }

  it.scoped("shows as text whatever somebody has written, and opens no other address than of the web", (open) =>
    Effect.gen(function*() {
      const { url } = yield* showing(hostile)
      const { page, wrong } = yield* open(url)
      yield* does(() => page.locator("#day").waitFor())
      assert.include(yield* does(() => page.locator("h1").innerText()), "<img src=x onerror=")
      const odd = `document.querySelectorAll("main img, main script, [href^='javascript:'], [style]").length`
      assert.strictEqual(yield* does(() => page.evaluate(odd)), 0)
      yield* does(() => page.goto(`${url}/#/item/ET-2`))
      yield* does(() => page.locator(".tries").first().waitFor())
      assert.strictEqual(yield* does(() => page.evaluate(odd)), 0)
      assert.notInclude(yield* does(() => page.title()), "owned")
      assert.deepStrictEqual(wrong, [])
    }).pipe(withPlane))

  it.scoped("shows 2,000 work items without a long pause", (open) =>
    Effect.gen(function*() {
      const { url } = yield* showing((now) => many(now, 2_000))
      const longest = Effect.gen(function*() {
        const { page } = yield* open("about:blank")
        const took = yield* tracing(page)
        yield* does(() => page.goto(url))
        yield* does(() => page.locator("#day").waitFor())
        yield* does(() => page.locator(".card, .done li").nth(399).waitFor({ state: "attached" }))
        return yield* took
      }).pipe(Effect.scoped)
      const times = [yield* longest, yield* longest, yield* longest]
      assert.isBelow(Math.min(...times), 200, times.join(", "))
    }).pipe(withPlane))

  it.scoped("can be used by keyboard alone, and asks once, with the number", (open) =>
    Effect.gen(function*() {
      const own = yield* showing(trouble)
      const { page } = yield* open(own.url)
      yield* does(() => page.locator(".live:not(.is-off)").waitFor())
      const press = (key: string) => does(() => page.keyboard.press(key))
      const focused = does(() => page.evaluate<string>("document.activeElement.textContent"))
      const tabTo = (words: string) =>
        Effect.iterate({ text: "", steps: 0 }, {
          while: ({ steps, text }) => text !== words && steps < 60,
          body: ({ steps }) =>
            Effect.map(Effect.zipRight(press("Tab"), focused), (text) => ({ text, steps: steps + 1 }))
        })
      yield* press("Tab")
      assert.strictEqual(yield* focused, "Skip to what needs you")
      yield* press("Enter")
      assert.isBelow((yield* tabTo("Retry all 14")).steps, 15)
      yield* press("Enter")
      yield* does(() => page.getByRole("dialog").getByText("Retry 14 letters?").waitFor())
      yield* press("Escape")
      assert.strictEqual(yield* focused, "Retry all 14")
      assert.deepStrictEqual(own.asked, [])
      // The operator's token is asked for where the other one is not enough.
      own.refusals.push(403)
      yield* press("Enter")
      yield* does(() => page.getByRole("dialog").waitFor())
      yield* press("Tab")
      yield* press("Enter")
      yield* does(() => page.getByLabel("Token").waitFor())
      yield* does(() => page.keyboard.type("0perator"))
      yield* press("Enter")
      yield* does(() => page.getByRole("dialog").waitFor({ state: "detached" }))
      assert.strictEqual(yield* focused, "Retry all 14")
      assert.deepStrictEqual(own.asked.map(({ authorization }) => authorization), [undefined, "Bearer 0perator"])
      assert.deepStrictEqual(own.asked[1]?.body, { code: "refused", upTo: 420 })
    }).pipe(withPlane))

  it.scoped("acts on all that match the filter, not only on those shown", (open) =>
    Effect.gen(function*() {
      const own = yield* showing(trouble)
      const { page } = yield* open(`${own.url}/#/dead`)
      yield* does(() => page.getByText("16 match").waitFor())
      yield* does(() => page.getByLabel("Reason").selectOption("refused"))
      yield* does(() => page.getByText("14 match").waitFor())
      assert.strictEqual(yield* does(() => page.locator("#dead tbody tr").count()), 5)
      yield* does(() => page.getByRole("button", { name: "Discard all 14" }).click())
      assert.include(yield* does(() => page.getByRole("dialog").innerText()), "This cannot be undone")
      yield* does(() => page.getByRole("button", { name: "Discard 14" }).click())
      yield* does(() => page.getByRole("dialog").waitFor({ state: "detached" }))
      assert.deepStrictEqual(own.asked.map(({ body, path }) => ({ body, path })), [
        { path: "deliveries/discard", body: { code: "refused", upTo: 420 } }
      ])
    }).pipe(withPlane))

  it.scoped("says when it is stale, does nothing then, and reconnects by itself", (open) =>
    Effect.gen(function*() {
      const own = yield* showing(trouble)
      const { page } = yield* open(own.url)
      yield* does(() => page.locator(".live:not(.is-off)").waitFor())
      own.away()
      yield* does(() => page.getByText("Nothing was heard from plane-sync since").waitFor())
      assert.include(yield* does(() => page.title()), "stale")
      const retry = page.getByRole("button", { name: "Retry all 14" })
      assert.strictEqual(yield* does(() => retry.getAttribute("aria-disabled")), "true")
      yield* does(() => retry.click({ force: true }))
      assert.strictEqual(yield* does(() => page.getByRole("dialog").count()), 0)
      own.answers = () => calm(Date.now())
      own.back()
      yield* does(() => page.getByText("No question is open").waitFor())
      yield* does(() => page.locator(".live:not(.is-off)").waitFor())
      assert.strictEqual(yield* does(() => page.title()), "plane-sync")
    }).pipe(withPlane))

  it.scoped("keeps the focus on its row when an update reorders the rows", (open) =>
    Effect.gen(function*() {
      const own = yield* showing(trouble)
      const { page } = yield* open(own.url)
      const row = page.locator("[data-key='wait 8'] a").first()
      yield* does(() => row.focus())
      const { overview, ...others } = trouble(Date.now())
      const needs = overview.needs.toReversed().filter(({ id }) => id !== "dead refused")
      own.answers = () => ({ ...others, overview: { ...overview, needs, needsYou: 4 } })
      own.change()
      yield* Effect.repeat(Effect.delay(does(() => page.title()), "20 millis"), {
        until: (title) => title.startsWith("4 need you")
      })
      assert.strictEqual(
        yield* does(() => page.evaluate("document.activeElement.closest('[data-key]').dataset.key")),
        "wait 8"
      )
    }).pipe(withPlane))
})
