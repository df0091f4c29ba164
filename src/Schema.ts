import { Effect, Layer } from "effect"
import { claimTable, giteaTables, leftHeadsColumn, pageColumns } from "./gitea/Tables.js"
import { assigneeTable } from "./outbox/AssigneeTables.js"
import { firstWordColumn } from "./outbox/FirstWordTables.js"
import { whileNobodyLeads } from "./outbox/Leader.js"
import { linkTable } from "./outbox/LinkTables.js"
import { livingColumns } from "./outbox/LivingTables.js"
import { destinationRows, replicaTable } from "./outbox/ReplicaTables.js"
import {
  foldedTable,
  heardColumns,
  indexFileColumn,
  newEventColumns,
  outboxTables,
  peopleColumns,
  projectColumns,
  splittingColumns,
  storyColumns,
  wholeRowColumns
} from "./outbox/Tables.js"
import { usageTable } from "./outbox/UsageTables.js"
import { approvalTables } from "./people/ApprovalTables.js"
import { commandTable, unheardColumn, waitTables } from "./people/Tables.js"
import { repairTables, unreadTable } from "./repair/Tables.js"
import { Migrations } from "./storage/Migrations.js"
import { answerTable } from "./tasks/AnswerTables.js"
import { decisionTable } from "./tasks/DecisionTables.js"
import { markTable } from "./tasks/MarkTables.js"
import {
  followedTasks,
  gateTables,
  launchTable,
  pageColumn,
  receiptTables,
  taskTables,
  whyColumn
} from "./tasks/Tables.js"
import { hookSubjects, hookTables, signedColumn, signerColumn, signerIndexes } from "./webhooks/Tables.js"

/**
 * The tables of all rooms, as the steps that create them. Every database gets all of them, whatever part of the program
 * opens it. To change a table, add a step at the end.
 */
export const migrations = {
  "0001_outbox": outboxTables,
  "0002_orchestrator": Effect.zipRight(heardColumns, taskTables),
  "0003_webhooks": Effect.zipRight(hookTables, giteaTables),
  "0004_index_file": indexFileColumn,
  "0005_splitting": splittingColumns,
  "0006_folding": whileNobodyLeads(foldedTable),
  "0007_claims": whileNobodyLeads(claimTable),
  "0008_gates": gateTables,
  "0009_launches": whileNobodyLeads(launchTable),
  "0010_people": Effect.all([peopleColumns, whyColumn, followedTasks], { discard: true }),
  "0011_whole_rows": wholeRowColumns,
  "0012_left_heads": leftHeadsColumn,
  "0013_projects": whileNobodyLeads(projectColumns),
  "0014_stories": Effect.zipRight(storyColumns, hookSubjects),
  "0015_repair": repairTables,
  "0016_forges": whileNobodyLeads(signerColumn),
  "0017_signers": signerIndexes,
  "0018_new_events": whileNobodyLeads(newEventColumns),
  "0019_replicas": replicaTable,
  "0020_destinations": destinationRows,
  "0021_first_words": firstWordColumn,
  "0022_links": Effect.all([linkTable, pageColumn, pageColumns], { discard: true }),
  "0023_receipts": receiptTables,
  "0024_usage": whileNobodyLeads(usageTable),
  "0025_marks": markTable,
  "0026_living": livingColumns,
  "0027_people": whileNobodyLeads(Effect.zipRight(answerTable, waitTables)),
  "0028_decisions": whileNobodyLeads(decisionTable),
  "0029_commands": commandTable,
  "0030_assignees": whileNobodyLeads(assigneeTable),
  "0031_unheard": whileNobodyLeads(Effect.all([signedColumn, unheardColumn, unreadTable], { discard: true })),
  "0032_approvals": whileNobodyLeads(approvalTables)
}

/** What opening a database needs. */
export const schemaLayer: Layer.Layer<Migrations> = Layer.succeed(Migrations, migrations)
