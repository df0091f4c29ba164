import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["./test/support/ImmediateTimers.ts"],
    reporters: ["default", "./test/support/SummaryReporter.ts"],
    // Most of a test's time is waiting; by default one core of two would do all the work.
    maxWorkers: 2,
    minWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 20_000
  }
})
