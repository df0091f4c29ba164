/**
 * Preloaded into a measured program (`--import`), so that the program itself has no code for it. Over the process's IPC
 * it answers each message with what its memory is used for, after a forced garbage collection if the message is
 * "collect". Needs `--expose-gc`. The process ends with the bench that started it.
 */
process.on("message", (message) => {
  if (message === "collect") globalThis.gc?.()
  process.send?.(process.memoryUsage())
})
process.on("disconnect", () => process.exit())
