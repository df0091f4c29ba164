import type { MetricPair } from "effect"
import { Metric, MetricState } from "effect"
import { definitions, metrics } from "./Metrics.js"

// @effect/opentelemetry's Prometheus exporter needs OpenTelemetry's SDK, which is larger than this program; and no other
// package reads Effect's registry. The format is small: https://prometheus.io/docs/instrumenting/exposition_formats/

/** Of the answer: version 0.0.4 of the text format. */
export const prometheusType = "text/plain; version=0.0.4; charset=utf-8"

const names = new Set(definitions.map(({ name }) => name))

/** In a help text a quotation mark stands as it is; in a label's value it does not. */
const escapedHelp = (text: string) => text.replace(/\\/g, "\\\\").replace(/\n/g, "\\n")
const escapedValue = (text: string) => escapedHelp(text).replace(/"/g, "\\\"")

const numberOf = (value: number) =>
  value === Infinity ? "+Inf" : value === -Infinity ? "-Inf" : Number.isNaN(value) ? "NaN" : String(value)

type Tags = ReadonlyArray<readonly [name: string, value: string]>

const line = (name: string, tags: Tags, value: number) => {
  const labels = tags.map(([name, value]) => `${name}="${escapedValue(value)}"`).join(",")
  return `${name}${labels === "" ? "" : `{${labels}}`} ${numberOf(value)}\n`
}

const sampleLines = ({ metricKey, metricState }: MetricPair.MetricPair.Untyped): string => {
  const { name } = metricKey
  const tags: Tags = metricKey.tags.map(({ key, value }) => [key, value] as const)
  if (MetricState.isHistogramState(metricState)) {
    const { buckets, count, sum } = metricState
    const rows = buckets.map(([upTo, count]) => line(`${name}_bucket`, [...tags, ["le", numberOf(upTo)]], count))
    return rows.join("") + line(`${name}_sum`, tags, sum) + line(`${name}_count`, tags, count)
  }
  if (MetricState.isCounterState(metricState)) return line(name, tags, Number(metricState.count))
  if (MetricState.isGaugeState(metricState)) {
    const value = Number(metricState.value)
    return Number.isNaN(value) ? "" : line(name, tags, value)
  }
  return ""
}

/**
 * All metrics of the program as Prometheus reads them. Effect's registry is the process's, so a host's own metrics are
 * in it, too: they are left out.
 */
export const prometheusText = (): string => {
  for (const { show } of Object.values(metrics)) show()
  const samples = new Map<string, string>()
  for (const pair of Metric.unsafeSnapshot()) {
    const { name } = pair.metricKey
    if (names.has(name)) samples.set(name, (samples.get(name) ?? "") + sampleLines(pair))
  }
  return definitions.flatMap(({ help, name, type }) => {
    const lines = samples.get(name) ?? ""
    return lines === "" ? [] : [`# HELP ${name} ${escapedHelp(help)}\n# TYPE ${name} ${type}\n${lines}`]
  }).join("")
}
