import { Brand } from "effect"

/** Plane's uuid of a work item. */
export type ItemId = string & Brand.Brand<"ItemId">
export const ItemId = Brand.nominal<ItemId>()

/** Plane's uuid of a comment. */
export type CommentId = string & Brand.Brand<"CommentId">
export const CommentId = Brand.nominal<CommentId>()

/** Plane's uuid of a person, or of the user whose API token is used. */
export type UserId = string & Brand.Brand<"UserId">
export const UserId = Brand.nominal<UserId>()

/** The order of all events: ascending, with gaps. */
export type EventSequence = number & Brand.Brand<"EventSequence">
export const EventSequence = Brand.nominal<EventSequence>()

/** A lane of the outbox. */
export type LaneId = number & Brand.Brand<"LaneId">
export const LaneId = Brand.nominal<LaneId>()
