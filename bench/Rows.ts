import type { Row } from "./Figure.js"
import * as Backlog from "./rows/Backlog.js"
import * as Pace from "./rows/Pace.js"
import * as Publish from "./rows/Publish.js"
import * as Requests from "./rows/Requests.js"
import * as Webhooks from "./rows/Webhooks.js"

/** All rows, in the order of the table. A new one is a file in `rows/` and a name here. */
export const rows: ReadonlyArray<Row> = [Requests.row, Backlog.row, Pace.row, Publish.row, Webhooks.row]
