import type { Row } from "./Figure.js"
import * as Backlog from "./rows/Backlog.js"
import * as Constant from "./rows/Constant.js"
import * as Cpu from "./rows/Cpu.js"
import * as Durable from "./rows/Durable.js"
import * as EndToEnd from "./rows/EndToEnd.js"
import * as Hot from "./rows/Hot.js"
import * as LargeHooks from "./rows/LargeHooks.js"
import * as Latency from "./rows/Latency.js"
import * as Loop from "./rows/Loop.js"
import * as Memory from "./rows/Memory.js"
import * as Metrics from "./rows/Metrics.js"
import * as Pace from "./rows/Pace.js"
import * as Parts from "./rows/Parts.js"
import * as Publish from "./rows/Publish.js"
import * as Replicas from "./rows/Replicas.js"
import * as Requests from "./rows/Requests.js"
import * as Soak from "./rows/Soak.js"
import * as Start from "./rows/Start.js"
import * as Webhooks from "./rows/Webhooks.js"

/**
 * All rows, in the order of the table. A new row is a file in `rows/` and a name here. The burst of `publish` comes
 * before the rows on a TestClock, because these leave something behind that no host has.
 */
export const rows: ReadonlyArray<Row> = [
  Publish.row,
  Requests.row,
  Backlog.row,
  Pace.row,
  Webhooks.row,
  LargeHooks.row,
  Durable.row,
  EndToEnd.row,
  Cpu.row,
  Latency.row,
  Memory.row,
  Start.row,
  Hot.row,
  Constant.row,
  Constant.million,
  Loop.row,
  Replicas.row,
  Soak.row,
  Parts.row,
  Metrics.row
]
