import { assert, describe, it } from "@effect/vitest"
import { Metric } from "effect"
import { metrics } from "../../src/metrics/Metrics.js"
import { prometheusText } from "../../src/metrics/Prometheus.js"

const linesOf = (name: string) => prometheusText().split("\n").filter((line) => line.startsWith(name))

describe("Prometheus's text", () => {
  it("escapes what stands in a label", () => {
    metrics.launches.add({ agent: "a \"b\" \\ c\nd", outcome: "launched" })
    assert.include(
      linesOf("plane_sync_launches_total"),
      String.raw`plane_sync_launches_total{agent="a \"b\" \\ c\nd",outcome="launched"} 1`
    )
  })

  it("shows what has not happened yet, where that is known", () => {
    // At 0, if no other test of this process has counted it.
    assert.match(prometheusText(), /^plane_sync_deliveries_total\{kind="recount",outcome="split"\} \d+$/m)
    assert.match(prometheusText(), /^plane_sync_storage_seconds_count\{operation="read"\} \d+$/m)
  })

  it("has the buckets of a histogram, each with all that is below it", () => {
    const before = linesOf("plane_sync_plane_request_seconds")
    const counted = (name: string, lines: ReadonlyArray<string>) =>
      Number(lines.find((line) => line.startsWith(name))?.split(" ").at(-1) ?? 0)
    for (const seconds of [0.015, 0.3, 100]) metrics.requestTime.observe({}, seconds)
    const after = linesOf("plane_sync_plane_request_seconds")
    const more = (name: string) => counted(name, after) - counted(name, before)
    assert.strictEqual(more("plane_sync_plane_request_seconds_bucket{le=\"0.01\"}"), 0)
    assert.strictEqual(more("plane_sync_plane_request_seconds_bucket{le=\"0.02\"}"), 1)
    assert.strictEqual(more("plane_sync_plane_request_seconds_bucket{le=\"30\"}"), 2)
    assert.strictEqual(more("plane_sync_plane_request_seconds_bucket{le=\"+Inf\"}"), 3)
    assert.strictEqual(more("plane_sync_plane_request_seconds_count"), 3)
    assert.approximately(more("plane_sync_plane_request_seconds_sum"), 100.315, 1e-6)
  })

  it("leaves out a series that is not there any more", () => {
    metrics.leads.set([[{ project: "ONE" }, 1], [{ project: "TWO" }, 0]])
    assert.deepStrictEqual(linesOf("plane_sync_leads"), [
      "plane_sync_leads{project=\"ONE\"} 1",
      "plane_sync_leads{project=\"TWO\"} 0"
    ])
    metrics.leads.set([[{ project: "TWO" }, 1]])
    assert.deepStrictEqual(linesOf("plane_sync_leads"), ["plane_sync_leads{project=\"TWO\"} 1"])
  })

  it("has nothing of a host's own metrics", () => {
    Metric.counter("host_total").unsafeUpdate(1, [])
    Metric.counter("plane_sync_of_somebody_else_total").unsafeUpdate(1, [])
    assert.notMatch(prometheusText(), /host_total|somebody_else/)
  })
})
