import { Option, Schema } from "effect"
import type { DestinationStatus } from "../sending/Destination.js"

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

/** Whether Plane is written to. */
export const planeFields = {
  state: Schema.Literal("open", "closed").annotations({ description: "closed: nothing is sent, everything is kept" }),
  since: optional(Schema.DateTimeUtc),
  reason: optional(Schema.String),
  nextProbeAt: optional(Schema.DateTimeUtc.annotations({
    description: "while it is closed: when Plane is asked next whether it is back"
  }))
}

export const PlaneView = Schema.Struct(planeFields).annotations({ identifier: "Plane" })
export type PlaneView = typeof PlaneView.Type

export const planeView = (status: DestinationStatus): PlaneView =>
  status.open ? { state: "open" } : {
    state: "closed",
    since: status.since,
    reason: status.reason,
    ...Option.match(status.nextProbeAt, { onNone: () => ({}), onSome: (nextProbeAt) => ({ nextProbeAt }) })
  }
