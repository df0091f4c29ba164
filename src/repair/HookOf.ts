import { Option } from "effect"
import { createHash } from "node:crypto"
import type { CommentId, ItemId, UserId } from "../domain/Ids.js"
import type { PlaneMoment } from "../domain/PlaneMoment.js"
import { longestHtml } from "../people/CommentText.js"
import { readByUs } from "../webhooks/HookNews.js"
import type { NewHook } from "../webhooks/Inbox.js"
import type { Suspect, Told } from "./Suspect.js"

const kept = (
  { body, project, uuid }: {
    readonly uuid: string
    readonly body: string
    readonly project: { readonly signer: string }
  }
): NewHook => ({
  source: "plane",
  signer: project.signer,
  isSigned: false,
  uuid: `${readByUs} ${uuid}`,
  event: readByUs,
  body,
  digest: createHash("sha256").update(body).digest("hex")
})

/**
 * What was read of a work item, as the hook that Plane would have sent of it: so it goes the way of a hook, in one line
 * with those that come, and what both tell happens once.
 */
export const hookOf = (
  { item }: Suspect,
  told: Extract<Told, { readonly at: unknown }>,
  project: { readonly id: string; readonly signer: string }
): NewHook => {
  const body = JSON.stringify({
    event: "issue",
    action: told._tag === "Made" ? "created" : "updated",
    data: {
      id: item.id,
      sequence_id: item.number,
      project: project.id,
      state: { id: item.stateId, name: Option.getOrNull(item.stateName), group: item.stateGroup },
      updated_at: told.at
    },
    activity: told._tag === "Made" ? {} : {
      field: "state_id",
      new_value: item.stateId,
      ...Option.match(told.by, { onNone: () => ({}), onSome: (id) => ({ actor: { id } }) })
    }
  })
  return kept({ body, project, uuid: `${item.id} ${told.at}` })
}

/** A comment that was read, as a hook without a signature: it is answered, and nothing else is done. */
export const hookOfComment = (
  { createdAt, html, id, itemId, madeBy }: {
    readonly id: CommentId
    readonly itemId: ItemId
    readonly html: string
    readonly madeBy: UserId
    readonly createdAt: PlaneMoment
  },
  project: { readonly id: string; readonly signer: string }
): NewHook =>
  kept({
    project,
    uuid: id,
    body: JSON.stringify({
      event: "issue_comment",
      action: "created",
      data: {
        id,
        issue: itemId,
        project: project.id,
        comment_html: html.slice(0, longestHtml),
        created_at: createdAt
      },
      activity: { actor: { id: madeBy } }
    })
  })
