import type { Row } from "./Figure.js"
import * as Publish from "./rows/Publish.js"
import * as Requests from "./rows/Requests.js"
import * as Webhooks from "./rows/Webhooks.js"

/** All rows, in the order of the table. A new one is a file in `rows/` and a name here. */
export const rows: ReadonlyArray<Row> = [Requests.row, Publish.row, Webhooks.row]
