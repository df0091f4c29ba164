import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { folder, post, request, served, withPlane } from "../http/Server.js"
import { freePort } from "../support/FreePort.js"
import { does, onPage } from "./OnPage.js"

const sent = (url: string, path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  request(`${url}/api/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body)
  })

/** It is told by a comment alone. */
const failed = { type: "quality_gate_failed", stage: "review", check: "lint", reason: "2 errors" }

onPage("the page of the running program", (it) => {
  it.scoped("moves a card as its task moves, and shows the name of its work item as text", (open) =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { key } = yield* plane.addWorkItem({ name: "<b>Ride</b> & profiles" })
      const url = yield* served()
      const { page, requested, wrong } = yield* open(url)
      yield* does(() => page.locator(".live:not(.is-off)").waitFor())
      yield* sent(url, "tasks", { workItem: key })
      const column = (stage: string) =>
        page.locator(".stages > li").filter({ has: page.locator(`h3:has-text("${stage}")`) })
      yield* does(() => column("analysis").getByLabel(`${key} in Plane`).waitFor())
      yield* sent(url, `tasks/${key}/report`, { stage: "analysis", outcome: "passed" })
      yield* does(() => column("architecture").getByLabel(`${key} in Plane`).waitFor())
      yield* does(() => column("architecture").getByText("<b>Ride</b> & profiles").waitFor())
      assert.strictEqual(yield* does(() => column("analysis").getByLabel(`${key} in Plane`).count()), 0)
      yield* does(() => column("architecture").getByText("<b>Ride</b> & profiles").click())
      yield* does(() => page.getByText("Comment told").first().waitFor())
      assert.include(yield* does(() => page.locator(".tries").first().innerText()), "POST comment")
      assert.deepStrictEqual(wrong, [])
      assert.deepStrictEqual(requested.filter((one) => !one.startsWith(url) && !one.startsWith("data:")), [])
    }).pipe(withPlane))

  it.scoped("retries all letters that match, also those that it does not show", (open) =>
    Effect.gen(function*() {
      const url = yield* served()
      for (let number = 1; number <= 25; number += 1) {
        yield* post(url, JSON.stringify({ ...failed, workItem: `XX-${number}` }))
      }
      const { page } = yield* open(`${url}/#/dead?code=wrong_project`)
      yield* does(() => page.getByText("25 match").waitFor())
      assert.strictEqual(yield* does(() => page.locator("#dead tbody tr").count()), 20)
      yield* does(() => page.getByRole("button", { name: "Retry all 25 that match" }).click())
      const answered = page.waitForResponse((response) => response.url().endsWith("/api/deliveries/retry"))
      yield* does(() => page.getByRole("button", { name: "Retry 25" }).click())
      assert.strictEqual(yield* does(async () => (await answered).text()), "{\"retried\":25}")
      yield* does(() => page.getByRole("dialog").waitFor({ state: "detached" }))
    }).pipe(withPlane))

  it.scoped("goes on by itself when the program was restarted", (open) =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const settings = {
        ORCH_PORT: String(yield* freePort),
        ORCH_DATABASE_URL: `${yield* folder}/events.sqlite`
      }
      const { key } = yield* plane.addWorkItem({ name: "Ride profiles" })
      const { page } = yield* open("about:blank")
      yield* Effect.scoped(Effect.gen(function*() {
        const url = yield* served(settings)
        yield* does(() => page.goto(url))
        yield* does(() => page.locator(".live:not(.is-off)").waitFor())
      }))
      yield* does(() => page.getByText("Nothing was heard from plane-sync since").waitFor())
      const url = yield* served(settings)
      yield* does(() => page.locator(".live:not(.is-off)").waitFor())
      yield* sent(url, "tasks", { workItem: key })
      yield* does(() => page.locator(".card").getByLabel(`${key} in Plane`).waitFor())
    }).pipe(withPlane))

  it.scoped("shows nothing without the token, and never puts it into an address", (open) =>
    Effect.gen(function*() {
      const url = yield* served({ ORCH_API_TOKEN: "s3cret", ORCH_OPERATOR_TOKEN: "0perator" })
      const { page, requested } = yield* open(url)
      const answers: Array<number> = []
      page.on("response", (response) => {
        if (response.url().includes("/api/")) answers.push(response.status())
      })
      yield* does(() => page.getByText("This plane-sync asks for its token").waitFor())
      assert.strictEqual(yield* does(() => page.locator("section, .verdict").count()), 0)
      yield* does(() => page.getByLabel("Token").fill("wrong"))
      yield* does(() => page.keyboard.press("Enter"))
      yield* does(() => page.getByText("plane-sync does not take this token").waitFor())
      assert.isTrue(answers.every((status) => status === 401), answers.join(", "))
      yield* does(() => page.getByLabel("Token").fill("s3cret"))
      yield* does(() => page.keyboard.press("Enter"))
      yield* does(() => page.locator(".verdict").waitFor())
      yield* does(() => page.reload())
      yield* does(() => page.locator(".verdict").waitFor())
      assert.isFalse(requested.some((address) => address.includes("s3cret")))
      assert.notInclude(page.url(), "s3cret")
      const other = yield* open(url)
      yield* does(() => other.page.getByText("This plane-sync asks for its token").waitFor())
    }).pipe(withPlane))
})
