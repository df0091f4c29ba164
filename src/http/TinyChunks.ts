import type * as Http from "node:http"

/** So many chunks may be as short as they like. */
const free = 1_000

/** Beyond these, the fewest bytes of a chunk, on average. */
const fewestBytes = 64

/**
 * Cuts the connection of whoever sends a body in a great number of tiny chunks. Node makes a buffer of each, before
 * anybody reads the body: a megabyte of chunks of one byte takes a hundred times its memory, and seconds.
 */
export const cutTinyChunks = (server: Http.Server): void => {
  server.on("request", (request) => {
    if (request.headers["transfer-encoding"] === undefined) return
    const push = request.push.bind(request)
    let chunks = 0
    let bytes = 0
    request.push = (chunk: unknown, encoding) => {
      if (Buffer.isBuffer(chunk)) {
        chunks += 1
        bytes += chunk.length
        if (chunks > free && bytes < chunks * fewestBytes) {
          request.socket.destroy()
          return false
        }
      }
      return push(chunk, encoding)
    }
  })
}
