import { Layer } from "effect"
import { migrations } from "../../src/Schema.js"
import { Migrations } from "../../src/storage/Migrations.js"
import { Storage } from "../../src/storage/Storage.js"

/** A new database in memory, by all steps. Others of a run of tests get their tables at once: see `createdAtOnce`. */
export const stepByStep = Layer.provide(Storage.layerFile(":memory:"), Layer.succeed(Migrations, migrations))
