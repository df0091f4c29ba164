import * as Args from "@effect/cli/Args"
import * as HelpDoc from "@effect/cli/HelpDoc"
import { Either } from "effect"
import { WorkItemKey } from "../domain/WorkItemKey.js"

/** The key of a work item on the command line. A text that is no key is wrong use, and says why. */
export const keyArgument: Args.Args<WorkItemKey> = Args.text({ name: "key" }).pipe(
  Args.withDescription("The work item's key, with or without leading zeros: ET-2, ET-002"),
  Args.mapEffect((text) => Either.mapLeft(WorkItemKey.parse(text), (message) => HelpDoc.p(message)))
)
