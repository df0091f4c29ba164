import { Brand, Schema } from "effect"

/** Plane's uuid of a work item. */
export type ItemId = string & Brand.Brand<"ItemId">
export const ItemId = Brand.nominal<ItemId>()

/** An item id from outside. It goes into paths of Plane's API, where anything but a uuid could lead elsewhere. */
export const PlaneItemId = Schema.UUID.pipe(Schema.fromBrand(ItemId))

/** Plane's uuid of a comment. */
export type CommentId = string & Brand.Brand<"CommentId">
export const CommentId = Brand.nominal<CommentId>()

/** A comment id from outside, for the same reason a uuid. */
export const PlaneCommentId = Schema.UUID.pipe(Schema.fromBrand(CommentId))

/** Plane's uuid of a link. */
export type LinkId = string & Brand.Brand<"LinkId">
export const LinkId = Brand.nominal<LinkId>()

/** A link id from outside, for the same reason a uuid. */
export const PlaneLinkId = Schema.UUID.pipe(Schema.fromBrand(LinkId))

/** Plane's uuid of a person, or of the user whose API token is used. */
export type UserId = string & Brand.Brand<"UserId">
export const UserId = Brand.nominal<UserId>()

/** The order of all events: ascending, with gaps. */
export type EventSequence = number & Brand.Brand<"EventSequence">
export const EventSequence = Brand.nominal<EventSequence>()

/** A lane of the outbox. */
export type LaneId = number & Brand.Brand<"LaneId">
export const LaneId = Brand.nominal<LaneId>()
