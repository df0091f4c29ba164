import { defineConfig } from "vitest/config"
import type { TestSpecification } from "vitest/node"
import { BaseSequencer } from "vitest/node"
import { compiledSource } from "./test/support/CompiledSource.js"
import { temporaryFolder } from "./test/support/TemporaryFolder.js"

/** What waits for a lease, for Postgres or for pauses comes first: while it does, the others keep both cores busy. */
class LongestFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>) {
    const isLong = ({ moduleId }: TestSpecification) =>
      /(main\/(Database|IndexRemoved)|people\/Assignees|outbox\/EveryEngine)\.test/.test(moduleId)
    const sorted = await super.sort(files)
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}

const { external, plugins } = compiledSource()

export default defineConfig({
  plugins,
  test: {
    server: { deps: { external } },
    env: { TMPDIR: temporaryFolder() },
    globalSetup: "./test/support/PostgresSetup.ts",
    setupFiles: ["./test/support/ImmediateTimers.ts", "./test/support/QuickTestClock.ts"],
    reporters: ["default", "./test/support/SummaryReporter.ts"],
    // Much of a test's time is waiting: four processes keep two cores busy. By default there would be one.
    maxWorkers: 4,
    minWorkers: 4,
    // Loading Effect takes a second, which is once a process instead of once a file.
    isolate: false,
    // With Node's own 16 MB, a twelfth of the run is collecting garbage.
    poolOptions: { forks: { execArgv: ["--max-semi-space-size=64"] } },
    // Only nets: on a slow machine that does other things, too, a test takes many times as long.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    include: ["test/**/*.test.ts"],
    sequence: { sequencer: LongestFirst }
  }
})
