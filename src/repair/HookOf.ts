import { Option } from "effect"
import { createHash } from "node:crypto"
import { readByUs } from "../webhooks/HookNews.js"
import type { NewHook } from "../webhooks/Inbox.js"
import type { Suspect, Told } from "./Suspect.js"

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
  return {
    source: "plane",
    signer: project.signer,
    uuid: `${readByUs} ${item.id} ${told.at}`,
    event: readByUs,
    body,
    digest: createHash("sha256").update(body).digest("hex")
  }
}
