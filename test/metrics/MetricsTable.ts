import type { Definition } from "../../src/metrics/Define.js"
import { definitions } from "../../src/metrics/Metrics.js"

const labelsOf = ({ labels }: Definition) =>
  Object.entries(labels).map(([name, values]) =>
    `\`${name}\` (${typeof values === "string" ? values : values.join(", ")})`
  ).join("; ") || "–"

/** The table of docs/metrics.md. */
export const metricsTable = [
  "| name | type | unit | labels | meaning |",
  "| --- | --- | --- | --- | --- |",
  ...definitions.map((definition) => {
    const { help, name, type, unit } = definition
    return `| \`${name}\` | ${type} | ${unit} | ${labelsOf(definition)} | ${help} |`
  })
].join("\n")
