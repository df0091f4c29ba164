import { defineConfig } from "vitest/config"
import { compiledSource } from "./test/support/CompiledSource.js"
import { temporaryFolder } from "./test/support/TemporaryFolder.js"

// `layer` with `excludeTestServices` takes the TestClock from all tests that come after it in the same process.
const isolated = ["test/main/**/*.test.ts"]

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
    // Loading Effect takes a second, which is once a process instead of once a file. It must stand here: in a project it
    // does nothing.
    isolate: false,
    // With Node's own 16 MB, a twelfth of the run is collecting garbage.
    poolOptions: { forks: { execArgv: ["--max-semi-space-size=64"] } },
    // Only nets: on a slow machine that does other things, too, a test takes many times as long.
    testTimeout: 90_000,
    hookTimeout: 90_000,
    projects: [
      {
        extends: true,
        test: {
          name: "in one process",
          include: ["test/**/*.test.ts"],
          exclude: isolated
        }
      },
      { extends: true, test: { name: "isolated", include: isolated } }
    ]
  }
})
