import type { TaskReceipt } from "./TaskReceipt.js"
import { failedGatesOf, secondsOf } from "./TaskReceipt.js"
import type { UsageSum } from "./Usage.js"
import { sumOf } from "./Usage.js"

/** How many stages, pull requests and models a line names at most. */
const mostNamed = 10

const minute = 60
const hour = 60 * minute
const day = 24 * hour

const two = (one: string, rest: number, unit: string) => rest === 0 ? one : `${one} ${rest} ${unit}`

/** A time for people: "45 s", "2 min 5 s", "35 min", "2 h 10 min", "3 d 4 h". What is smaller is left out. */
export const timeWords = (seconds: number): string => {
  if (seconds < minute) return `${seconds} s`
  const minutes = Math.floor(seconds / minute)
  if (seconds < 10 * minute) return two(`${minutes} min`, seconds % minute, "s")
  if (seconds < hour) return `${minutes} min`
  if (seconds < day) return two(`${Math.floor(seconds / hour)} h`, minutes % 60, "min")
  return two(`${Math.floor(seconds / day)} d`, Math.floor(seconds % day / hour), "h")
}

export const countWords = (count: number) => String(count).replace(/\B(?=(\d{3})+$)/g, ",")

/** A cost for people: "$1.25", and of what is less than a cent its first digits. */
export const costWords = (costUsd: number) =>
  `$${costUsd === 0 || costUsd >= 0.01 ? costUsd.toFixed(2) : costUsd.toFixed(6).replace(/0+$/, "")}`

const list = (items: ReadonlyArray<string>, separator: string): string =>
  [...items.slice(0, mostNamed), ...items.length > mostNamed ? [`and ${items.length - mostNamed} more`] : []]
    .join(separator)

const withParts = (line: string, parts: ReadonlyArray<string>, separator = ", ") =>
  parts.length === 0 ? line : `${line} (${list(parts, separator)})`

/** What was said of a usage. */
const amounts = ({ costUsd, inputTokens, outputTokens }: UsageSum): ReadonlyArray<string> => [
  ...inputTokens === undefined ? [] : [`${countWords(inputTokens)} tokens in`],
  ...outputTokens === undefined ? [] : [`${countWords(outputTokens)} tokens out`],
  ...costUsd === undefined ? [] : [costWords(costUsd)]
]

const modelWords = (usage: UsageSum) => [usage.model ?? "other models", ...amounts(usage)].join(", ")

const usageWords = (usage: TaskReceipt["usage"]): string => {
  const [only] = usage
  if (only !== undefined && usage.length === 1) {
    return [...amounts(only), ...only.model === undefined ? [] : [only.model]].join(", ")
  }
  const all = amounts(sumOf(usage))
  return all.length === 0 ? list(usage.map(modelWords), "; ") : withParts(all.join(", "), usage.map(modelWords), "; ")
}

/**
 * A receipt in lines of plain text, of what is known alone: none of nothing. Each begins with a word of ours, so that
 * no name in it can look like the line of another comment.
 */
export const receiptLines = (receipt: TaskReceipt): ReadonlyArray<string> => {
  const { pullRequests, stages, usage } = receipt
  const [seconds, failed] = [secondsOf(receipt), failedGatesOf(receipt)]
  const timed = stages.filter((share) => share.seconds > 0)
  const again = stages.filter(({ attempts }) => attempts > 1)
  const failing = stages.filter(({ failedGates }) => failedGates > 0)
  return [
    ...seconds === 0
      ? []
      : [withParts(`Time: ${timeWords(seconds)}`, timed.map((share) => `${share.stage} ${timeWords(share.seconds)}`))],
    ...again.length === 0
      ? []
      : [`Attempts: ${list(again.map(({ attempts, stage }) => `${stage} ${attempts}`), ", ")}`],
    ...failed === 0
      ? []
      : [withParts(`Failed gates: ${failed}`, failing.map(({ failedGates, stage }) => `${stage} ${failedGates}`))],
    ...pullRequests.length === 0
      ? []
      : [`${pullRequests.length === 1 ? "Pull request" : "Pull requests"}: ${list(pullRequests, ", ")}`],
    ...usage.length === 0 ? [] : [`Usage: ${usageWords(usage)}`]
  ]
}
