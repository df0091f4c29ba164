import { defineConfig } from "vitest/config"
import { temporaryFolder } from "./test/support/TemporaryFolder.js"

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    env: { TMPDIR: temporaryFolder() },
    setupFiles: ["./test/support/ImmediateTimers.ts"],
    reporters: ["default", "./test/support/SummaryReporter.ts"],
    // Most of a test's time is waiting; by default one core of two would do all the work.
    maxWorkers: 2,
    minWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 20_000
  }
})
