import { Layer } from "effect"
import { Destinations } from "../../src/domain/Destinations.js"

/** The project of most tests, and its one destination. */
export const oneDestination = Layer.succeed(Destinations, { all: [["ET"]] })
