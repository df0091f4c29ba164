import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { definitions } from "../../src/metrics/Metrics.js"
import { notByPromtool, promtool, runPromtool } from "../support/Promtool.js"
import { metricsTable } from "./MetricsTable.js"

const documentOf = (name: string) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8")

/** What Prometheus makes of a metric: a histogram is three. */
const exported = new Set(
  definitions.flatMap(({ name, type }) =>
    type === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name]
  )
)

const named = (text: string) => new Set(Array.from(text.matchAll(/\bplane_sync_[a-z0-9_]+/g), ([name]) => name))

const alerts = documentOf("alerts.yml")
const dashboard = documentOf("grafana.json")

describe("the documents about metrics", () => {
  it("docs/metrics.md lists each metric that there is, and no other", () => {
    const [, table] = /<!-- metrics:begin -->\n+([\s\S]*?)\n+<!-- metrics:end -->/.exec(documentOf("metrics.md")) ?? []
    assert.strictEqual(table, metricsTable)
  })

  it("metrics are named as Prometheus's users expect", () => {
    for (const { help, labels, name, type, unit } of definitions) {
      assert.match(name, /^plane_sync_[a-z0-9_]+$/)
      assert.strictEqual(name.endsWith("_total"), type === "counter", name)
      if (type !== "gauge" || unit === "seconds") assert.match(name, /_(seconds|seconds_total|total)$/)
      assert.match(help, /\.$/)
      for (const label of Object.keys(labels)) assert.notInclude(["le", "job", "instance"], label)
    }
    assert.strictEqual(new Set(definitions.map(({ name }) => name)).size, definitions.length)
  })

  it.each([["alerts.yml", alerts], ["grafana.json", dashboard]])(
    "docs/%s names only metrics that there are",
    (_, text) => {
      const names = named(text)
      assert.isAbove(names.size, 5)
      assert.deepStrictEqual(Array.from(names).filter((name) => !exported.has(name)), [])
    }
  )

  it("the dashboard shows each metric", () => {
    const names = named(dashboard)
    const shown = definitions.filter(({ name }) => names.has(name) || names.has(`${name}_bucket`))
    assert.deepStrictEqual(definitions.filter((one) => !shown.includes(one)), [])
    const { panels } = JSON.parse(dashboard) as { readonly panels: ReadonlyArray<{ readonly id: number }> }
    assert.strictEqual(new Set(panels.map(({ id }) => id)).size, panels.length)
  })
})

describe.skipIf(promtool === undefined)(
  `docs/alerts.yml, by promtool${promtool === undefined ? notByPromtool : ""}`,
  () => {
    it("is right", async () => {
      const { isRight, said } = await runPromtool(["check", "rules", "docs/alerts.yml"])
      assert.isTrue(isRight, said)
    })

    it("calls when Plane is closed for long, nobody leads, or storage is slow, and otherwise not", async () => {
      const { isRight, said } = await runPromtool(["test", "rules", "test/metrics/alerts.test.yml"])
      assert.isTrue(isRight, said)
    })
  }
)
