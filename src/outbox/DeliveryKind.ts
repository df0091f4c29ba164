import { Schema } from "effect"

/** What a delivery asks of Plane: a new comment, a new count in a comment that is there, or a state. */
export const DeliveryKind = Schema.Literal("comment", "recount", "state").annotations({
  description: "a new comment, the new count of a told gate failure, or a state"
})
export type DeliveryKind = typeof DeliveryKind.Type
