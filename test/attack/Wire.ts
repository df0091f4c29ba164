import { Effect } from "effect"
import type { Scope } from "effect"
import { createHmac } from "node:crypto"
import { connect } from "node:net"
import type { Socket } from "node:net"
import { Broken } from "./Attack.js"

/** The attacks' own secret of Gitea's webhooks. */
export const secret = "between gravel and mud"

export const signature = (body: string | Buffer): string => createHmac("sha256", secret).update(body).digest("hex")

/** Fails with these words unless it holds. */
export const must = (holds: boolean, words: string): Effect.Effect<void, Broken> =>
  holds ? Effect.void : Effect.fail(new Broken({ message: words }))

/** An answer as it stood on the wire. */
export interface RawAnswer {
  /** 0: the connection ended without an answer. */
  readonly status: number
  readonly text: string
  /** How long it took, in milliseconds. */
  readonly took: number
}

const statusOf = (text: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0)

/** Whether all of the first answer is there, by its Content-Length. Without one it ends with the connection. */
const isWhole = (text: string) => {
  const end = text.indexOf("\r\n\r\n")
  const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1]
  return end !== -1 && length !== undefined && Buffer.byteLength(text) - end - 4 >= Number(length)
}

interface Sending {
  readonly port: number
  /** The sender's address. Each address of 127.0.0.0/8 is this machine. */
  readonly from?: string
}

const open = ({ from, port }: Sending) =>
  connect({ port, host: "127.0.0.1", ...(from === undefined ? {} : { localAddress: from }) })

/** Sends these bytes over a connection of its own, and reads the answer. */
export const send = (to: Sending, bytes: string | Buffer, within = 15_000): Effect.Effect<RawAnswer> =>
  Effect.async<RawAnswer>((resume) => {
    const begun = performance.now()
    const socket = open(to)
    let text = ""
    const end = () => {
      clearTimeout(timer)
      socket.destroy()
      resume(Effect.succeed({ status: statusOf(text), text, took: performance.now() - begun }))
    }
    const timer = setTimeout(end, within)
    socket.on("error", end).on("close", end).on("data", (data) => {
      text += data.toString("latin1")
      if (isWhole(text)) end()
    })
    socket.write(bytes)
    return Effect.sync(end)
  })

/** Opens a connection, sends these bytes and then nothing. It ends with the scope. */
export const hold = (to: Sending, bytes: string | Buffer): Effect.Effect<Socket, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const socket = open(to)
      socket.on("error", () => undefined).resume().write(bytes)
      return socket
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )

/** A request as it stands on the wire. `body` may be less than the headers say. */
export const raw = (
  line: string,
  headers: ReadonlyArray<readonly [string, string]>,
  body: string | Buffer = ""
): Buffer =>
  Buffer.concat([
    Buffer.from(`${line} HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`),
    Buffer.from(body)
  ])

const json = ["Content-Type", "application/json"] as const

/** A publish of an event. */
export const publishing = (body: string, extra: ReadonlyArray<readonly [string, string]> = []) =>
  raw("POST /api/events", [
    ["Host", "localhost"],
    json,
    ["Content-Length", String(Buffer.byteLength(body))],
    ...extra
  ], body)

/** A delivery of Gitea. `sent` is what comes of its body, at first all. */
export const delivery = (body: string | Buffer, options: {
  readonly event?: string
  readonly signature?: string
  readonly sent?: number
  readonly extra?: ReadonlyArray<readonly [string, string]>
} = {}) =>
  raw("POST /webhooks/gitea", [
    ["Host", "plane-sync.internal"],
    json,
    ["X-Gitea-Event-Type", options.event ?? "push"],
    ["X-Gitea-Signature", options.signature ?? signature(body)],
    ["Content-Length", String(Buffer.byteLength(body))],
    ...(options.extra ?? [])
  ], Buffer.from(body).subarray(0, options.sent))

/** An event that is taken. */
export const event = JSON.stringify({ type: "task_completed", workItem: "ET-1" })
