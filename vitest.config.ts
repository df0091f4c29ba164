import { defineConfig } from "vitest/config"
import { temporaryFolder } from "./test/support/TemporaryFolder.js"

// `layer` with `excludeTestServices` takes the TestClock from all tests that come after it in the same process.
const isolated = ["test/main/**/*.test.ts"]

export default defineConfig({
  test: {
    env: { TMPDIR: temporaryFolder() },
    setupFiles: ["./test/support/ImmediateTimers.ts"],
    reporters: ["default", "./test/support/SummaryReporter.ts"],
    // Most of a test's time is waiting; by default one core of two would do all the work.
    maxWorkers: 2,
    minWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 20_000,
    projects: [
      {
        extends: true,
        test: {
          name: "in one process",
          include: ["test/**/*.test.ts"],
          exclude: isolated,
          // Loading Effect takes a second, which is once a process instead of once a file.
          isolate: false
        }
      },
      { extends: true, test: { name: "isolated", include: isolated } }
    ]
  }
})
