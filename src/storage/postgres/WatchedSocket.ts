import { Duration } from "effect"
import { Socket } from "node:net"

/** How long Postgres may be silent after it was asked something. Its statements end sooner: see `limits`. */
const patience = Duration.toMillis("8 seconds")

const lookEvery = Duration.toMillis("1 second")

/**
 * A socket that ends itself when what it has sent is not answered: where the other machine is gone, the system alone
 * would notice a quarter of an hour later, and whoever waits for an answer would wait for as long. By the computer's
 * time and not by Effect's clock, because the network does not wait for a clock that a test moves.
 */
export const watchedSocket = (): Socket => {
  const socket = new Socket()
  let read = 0
  let written = 0
  let silentLooks = 0
  // Counted by looks and not by a clock: a process that was stopped has not looked yet whether there is an answer.
  const timer = setInterval(() => {
    const isAsked = socket.bytesWritten > written
    const isAnswered = socket.bytesRead > read
    if (isAnswered) {
      read = socket.bytesRead
      written = socket.bytesWritten
      silentLooks = 0
    } else if (isAsked) {
      silentLooks += 1
      if (silentLooks * lookEvery >= patience) {
        socket.destroy(Object.assign(new Error("Postgres does not answer"), { code: "ETIMEDOUT" }))
      }
    }
  }, lookEvery)
  timer.unref()
  socket.once("close", () => clearInterval(timer))
  return socket
}
