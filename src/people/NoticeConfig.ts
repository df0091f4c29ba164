import { Config, ConfigError, Either, Option, Redacted } from "effect"
import type { Accepted } from "../base/Setting.js"
import { anySecret, defineSetting, given, oneOf, unset } from "../base/Setting.js"

/** How a notice is written: our own JSON, or what a service takes. */
export const noticeFormats = ["json", "slack", "telegram", "ntfy"] as const
export type NoticeFormat = (typeof noticeFormats)[number]

/** Where notices go. */
export interface NoticeConfig {
  /** It may be a secret as a whole: nothing but its host is ever shown. */
  readonly url: Redacted.Redacted
  /** The host, which is shown. */
  readonly host: string
  readonly format: NoticeFormat
  /** What notices are signed with; empty: they are not. */
  readonly secret: Redacted.Redacted
  /** Telegram's id of the chat, or its name; empty for the others. */
  readonly chat: string
}

/** An address that may hold a token in its path. It is never repeated. */
const address: Accepted<Redacted.Redacted> = {
  expected: "an address that takes POST requests, like \"https://ntfy.example.com/plane-sync\"",
  parse: (text) => {
    if (!URL.canParse(text)) return Either.left("it is not a URL")
    const url = new URL(text)
    if (url.protocol !== "http:" && url.protocol !== "https:") return Either.left("it is neither http nor https")
    if (url.username !== "" || url.password !== "") return Either.left("it carries a user name or a password")
    return Either.right(Redacted.make(url.href))
  }
}

const none = Redacted.make("")

/** The settings of notices. */
export const noticeSettings = {
  url: defineSetting({
    name: "ORCH_NOTICE_URL",
    about: "Where a notice is sent when a task waits for somebody: see docs/people.md. Only its host is ever shown.",
    accepts: address,
    default: unset(none, "not set: nobody is reached outside of Plane"),
    secret: true
  }),
  format: defineSetting({
    name: "ORCH_NOTICE_FORMAT",
    about: "How a notice is written: as JSON that is signed, or as Slack, Telegram (sendMessage) or ntfy take it.",
    accepts: oneOf(noticeFormats),
    default: "json"
  }),
  secret: defineSetting({
    name: "ORCH_NOTICE_SECRET",
    about: "The secret that notices are signed with. It is needed with the format json.",
    accepts: anySecret,
    default: unset(none),
    secret: true
  }),
  chat: defineSetting({
    name: "ORCH_NOTICE_CHAT",
    about: "Telegram's id of the chat, or its name. It is needed with the format telegram.",
    accepts: {
      expected: "a chat's id or name, like \"-1001234567890\" or \"@builds\"",
      parse: (text): Either.Either<string, string> =>
        /^(-?\d{1,20}|@\w{1,64})$/.test(text) ? Either.right(text) : Either.left(`${given(text)} is not right`)
    },
    default: unset("")
  })
}

const missing = (name: string, why: string) => Either.left(ConfigError.InvalidData([name], why))

/** Where notices go; none if they go nowhere. */
export const noticeConfig: Config.Config<Option.Option<NoticeConfig>> = Config.mapOrFail(
  Config.all(noticeSettings),
  ({ chat, format, secret, url }): Either.Either<Option.Option<NoticeConfig>, ConfigError.ConfigError> => {
    const text = Redacted.value(url)
    if (text === "") return Either.right(Option.none())
    if (format === "json" && Redacted.value(secret) === "") {
      return missing(
        noticeSettings.secret.definition.name,
        "it is not set, and notices are JSON: expected the secret that their receiver checks signatures with, like that " +
          "of `openssl rand -hex 32`"
      )
    }
    if (format === "telegram" && chat === "") {
      return missing(
        noticeSettings.chat.definition.name,
        "it is not set, and notices go to Telegram: expected a chat's id or name, like \"-1001234567890\""
      )
    }
    return Either.right(Option.some({ url, host: new URL(text).host, format, secret, chat }))
  }
)
