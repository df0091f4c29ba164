import { Schema } from "effect"

/** What a delivery asks of Plane: a new comment, an edit of an existing comment, or a state. */
export const DeliveryKind = Schema.Literal("comment", "recount", "state").annotations({
  description:
    "a new comment, an edit of one (the new count of a told gate failure, or what the living comment shows), or a state"
})
export type DeliveryKind = typeof DeliveryKind.Type
