/** Of a lane that has only links to do: however long it has waited, it goes before no other. */
export const leastUrgent = 3

/**
 * Gate failures and completions (0), then states (1), then stage comments (2), then links. A lane has the urgency of
 * the most urgent thing it owes, and its head goes first, so the order within a work item stands.
 */
export const urgencies: ReadonlyArray<number> = [0, 1, 2, leastUrgent]
