import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as HelpDoc from "@effect/cli/HelpDoc"
import { Console, DateTime, Effect, Either, Option } from "effect"
import { cleanText, escapeHtml } from "../base/Text.js"
import { uuidV7 } from "../base/UuidV7.js"
import { keyIn } from "../domain/Project.js"
import { CurrentProject } from "../plane/CurrentProject.js"
import { itemPage } from "../plane/ItemPage.js"
import { PlaneClient } from "../plane/PlaneClient.js"
import { findByKey, withProjectOf } from "./Find.js"
import { lineOf } from "./Help.js"
import { keyArgument } from "./KeyArgument.js"
import { shown } from "./Table.js"

/** The HTML of a text that a person typed. Its lines stay lines. */
export const textHtml = (text: string): string =>
  `<p>${escapeHtml(cleanText(text, Infinity)).replace(/\n/g, "<br>")}</p>`

const textArgument = Args.text({ name: "text" }).pipe(
  Args.withDescription("What the comment says, as plain text"),
  Args.mapEffect((text) =>
    text.trim() === "" ? Either.left(HelpDoc.p("The comment is empty: expected a text")) : Either.right(text)
  )
)

const notKnown = "plane-sync: it is not known whether Plane has added the comment: look before you repeat it"

/** `plane-sync comment ET-002 "text"`: adds a comment at once, without the outbox, with an external id of its own. */
export const comment = Command.make(
  "comment",
  { key: keyArgument, text: textArgument },
  ({ key, text }) =>
    withProjectOf(
      key,
      Effect.gen(function*() {
        const plane = yield* PlaneClient
        const { config, project } = yield* CurrentProject
        const item = yield* findByKey(key)
        const externalId = `cli:${yield* uuidV7}`
        const createdAt = yield* DateTime.now
        const added = yield* plane.addComment(item.id, { html: textHtml(text), externalId, createdAt }).pipe(
          Effect.tapError((error) => error.sent === "unknown" ? Console.error(notKnown) : Effect.void)
        )
        yield* Console.log([
          `commented    ${keyIn(project, item.number)} ${shown(item.name)}`,
          `comment id   ${Option.getOrElse(added.id, () => "unknown")}`,
          `external id  ${externalId}`,
          `address      ${itemPage(config, keyIn(project, item.number))}`
        ].join("\n"))
      })
    )
).pipe(
  Command.withDescription(lineOf("comment"))
)
