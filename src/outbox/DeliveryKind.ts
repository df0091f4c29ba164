import { Schema } from "effect"

/** What a delivery asks of Plane: a new comment, a new count in an existing comment, or a state. */
export const DeliveryKind = Schema.Literal("comment", "recount", "state").annotations({
  description: "a new comment, the new count of a told gate failure, or a state"
})
export type DeliveryKind = typeof DeliveryKind.Type
