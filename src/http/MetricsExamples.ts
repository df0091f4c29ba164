import { metrics } from "../metrics/Metrics.js"
import type { History } from "../overview/HistoryView.js"
import { problemsOf } from "./ProblemExamples.js"

const { help, name, type } = metrics.owed.definition

const text = `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name} 3\n`

const history: typeof History.Encoded = {
  since: "2026-11-29T17:00:03.120Z",
  bucketSeconds: 300,
  buckets: [
    { at: "2026-11-29T17:00:03.120Z", events: 31, told: 28, p50Seconds: 0.4, p99Seconds: 2.6, closedSeconds: 0 },
    { at: "2026-11-29T17:05:03.120Z", events: 4, told: 0, p50Seconds: null, p99Seconds: null, closedSeconds: 121.4 }
  ]
}

/** Examples of what a monitor and the page's chart are told, by their `operationId`. */
export const metricsExamples = {
  metrics: { responses: { 200: text, ...problemsOf("metrics") } },
  "history.get": { responses: { 200: history, ...problemsOf("history.get") } }
}
