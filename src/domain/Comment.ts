import { StageEvent } from "./StageEvent.js"
import { escapeHtml } from "./Text.js"

const text: (event: StageEvent) => string = StageEvent.$match({
  StageChanged: ({ agent, from, to }) =>
    `🔄 Stage: ${from} → ${to}${agent === undefined || agent === "" ? "" : ` (launching ${agent})`}`,
  QualityGateFailed: ({ check, reason, stage }) => `⚠️ QG failed at ${stage}: ${check} — ${reason}`,
  TaskCompleted: () => "✅ Task completed! PR merged and deployed."
})

/**
 * The HTML of the comment that tells an event, with everything interpolated escaped: Plane does not sanitise comments.
 * The texts are the specification's.
 */
export const commentHtml = (event: StageEvent): string => `<p>${escapeHtml(text(event)).replace(/\n/g, "<br>")}</p>`
