import type { Row } from "../Row.js"
import { assignees } from "./Assignees.js"
import { commands } from "./Commands.js"
import { links } from "./Links.js"
import { livingRows } from "./Living.js"
import { machine } from "./Machine.js"
import { network } from "./Network.js"
import { notices } from "./Notices.js"
import { people } from "./People.js"
import { postgres } from "./Postgres.js"
import { refusals } from "./Refusals.js"
import { tooMany } from "./TooMany.js"
import { wholeRows } from "./WholeRows.js"

/** All rows, in the order of the table. */
export const rows: ReadonlyArray<Row> = [
  ...network,
  ...tooMany,
  ...refusals,
  ...people,
  ...machine,
  ...postgres,
  ...wholeRows,
  ...links,
  ...livingRows,
  ...notices,
  ...assignees,
  ...commands
]
