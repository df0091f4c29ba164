import * as Http from "node:http"
import type { Duplex } from "node:stream"
import { hasCode } from "../base/ErrorCode.js"
import { securityHeaders } from "./SecurityHeaders.js"

const statuses: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408
}

const bareAnswer = (status: number) => {
  const words = Http.STATUS_CODES[status] ?? ""
  const body = JSON.stringify({ error: words })
  const headers = {
    ...securityHeaders,
    "content-type": "application/json",
    "content-length": String(body.length),
    connection: "close"
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} ${words}\r\n${lines.join("")}\r\n${body}`
}

/**
 * Gives every answer the headers of `securityHeaders`, those that no application makes too: of a server that starts or
 * stops, and to what is no request.
 */
export const answerBare = (server: Http.Server): void => {
  const answers = new WeakMap<Duplex, Http.ServerResponse>()
  // While the program starts, and after it has stopped, no listener comes after this one, and a request would hang
  // without it.
  const before = server.listenerCount("request")
  server.on("request", ({ socket }, response) => {
    answers.set(socket, response)
    for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value)
    if (server.listenerCount("request") > before + 1) return
    response.writeHead(503, { "content-type": "application/json", "retry-after": "1", "connection": "close" })
    response.end(JSON.stringify({ error: "Starting or stopping" }))
  })
  server.on("clientError", (error, socket) => {
    // A second answer within another would be taken for a part of it.
    const begun = answers.get(socket)
    if (!socket.writable || (begun?.headersSent === true && !begun.writableFinished)) return void socket.destroy()
    socket.end(bareAnswer(hasCode(error) ? statuses[error.code] ?? 400 : 400))
  })
}
