import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { Redacted } from "effect"
import { createHmac } from "node:crypto"
import { cleanText } from "../base/Text.js"
import type { NoticeConfig } from "./NoticeConfig.js"
import type { NoticeDocument } from "./Notices.js"

/** How much of a question or an answer a message has: services refuse long ones. */
const wordsLimit = 1_000

const shortened = (text: string) => cleanText(text, wordsLimit)

const titles = {
  opened: "waits for somebody",
  escalated: "still waits for somebody",
  answered: "was answered",
  withdrawn: "needs nobody any more"
}

/** What a notice says to people, in plain text. */
export const noticeText = (
  { agent, by, question, reached, reason, stage, type, why, workItem }: NoticeDocument
): string =>
  [
    `${workItem} ${titles[type]} (${stage})`,
    `${reason === "asked" ? `${agent ?? "An agent"} asks: ` : ""}${shortened(question)}`,
    ...(why === null ? [] : [`${by === null ? "" : `${by}: `}${shortened(why)}`]),
    ...(type === "opened" || type === "escalated") && reached.length > 0 ? [`Asked: ${reached.join(", ")}`] : []
  ].join("\n")

// Slack reads these as marks: <!channel> would wake everybody.
const forSlack = (text: string) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;")

const bodyOf = ({ chat, format }: NoticeConfig, document: NoticeDocument) => {
  const text = noticeText(document)
  switch (format) {
    case "json":
      return { body: JSON.stringify(document), type: "application/json" }
    case "slack":
      return { body: JSON.stringify({ text: forSlack(text) }), type: "application/json" }
    case "telegram":
      // Without a parse_mode no character has a meaning.
      return { body: JSON.stringify({ chat_id: chat, text }), type: "application/json" }
    case "ntfy":
      return { body: text, type: "text/plain; charset=utf-8" }
  }
}

/** The request that sends a notice. Its address comes from the settings alone. */
export const noticeRequest = (config: NoticeConfig, document: NoticeDocument): HttpClientRequest.HttpClientRequest => {
  const { body, type } = bodyOf(config, document)
  const secret = Redacted.value(config.secret)
  return HttpClientRequest.post("").pipe(
    HttpClientRequest.bodyText(body, type),
    HttpClientRequest.setHeaders({
      "x-plane-sync-event": document.type,
      "x-plane-sync-delivery": document.id,
      ...(secret === ""
        ? {}
        : { "x-plane-sync-signature": createHmac("sha256", secret).update(body).digest("hex") })
    })
  )
}
