/**
 * How a work item's events are told: what is owed together in one comment (`joined`), each in one of its own (`each`),
 * or stage changes in one comment that is edited (`living`).
 */
export const commentModes = ["joined", "each", "living"] as const
export type CommentMode = (typeof commentModes)[number]
