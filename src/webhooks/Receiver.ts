import type { ConfigError } from "effect"
import { Context, Data, Effect, Layer, Option, Redacted } from "effect"
import { createHash } from "node:crypto"
import { isJsonType } from "../base/ContentType.js"
import { isDeeperThan } from "../base/Depth.js"
import { cleanLine, textLimit } from "../base/Text.js"
import type { EpochMillis } from "../base/Time.js"
import { epochMillis } from "../base/Time.js"
import { makeWarningThrottle } from "../base/WarningThrottle.js"
import type { StorageError } from "../storage/StorageError.js"
import { Inbox } from "./Inbox.js"
import { isSignature, isSignedWith } from "./Signature.js"
import type { Source } from "./WebhookConfig.js"
import { secretSetting, WebhookConfig } from "./WebhookConfig.js"

/** Why a hook is not accepted, and the HTTP status that says so. */
export class Refused extends Data.TaggedError("Refused")<{
  readonly status: 400 | 401 | 408 | 413 | 415 | 503
  readonly why: string
}> {}

/** There is no room in memory for the hook's body beside those in flight. It may be sent again. */
export class Overloaded extends Data.TaggedError("Overloaded") {
  readonly why = "there is no room for it beside the hooks in flight: send it again"
}

/** When hooks of a sender were last accepted and refused. */
export interface SourceStatus {
  readonly acceptedAt: EpochMillis | undefined
  readonly refused: { readonly at: EpochMillis; readonly why: string } | undefined
}

/**
 * Reserves memory for so many more bytes of a body. Returns false if too much is in use. The memory is free again when
 * the request has ended.
 */
export type ReserveMemory = (bytes: number) => boolean

/** What is read of a request. Names of headers are lower case. */
export interface Received {
  readonly headers: Readonly<Record<string, string | undefined>>
  /** The body's bytes, whose memory is reserved as they come. Fails if they cannot be read, or there is no memory. */
  readonly body: (reserve: ReserveMemory) => Effect.Effect<Uint8Array, Overloaded | Refused>
}

/** Accepts hooks: one with the right signature is committed, and worked on afterwards. */
export class Receiver extends Context.Tag("plane-sync/Receiver")<Receiver, {
  /** Succeeds once the hook is on disk. Waits for nothing else. */
  readonly receive: (source: Source, received: Received) => Effect.Effect<void, Overloaded | Refused | StorageError>
  readonly status: Effect.Effect<Readonly<Record<Source, SourceStatus>>>
}>() {
  static readonly layer: Layer.Layer<Receiver, ConfigError.ConfigError, Inbox> = Layer.effect(
    Receiver,
    Effect.suspend(() => make)
  )
}

// X-Gitea-Event groups several events under one name; only the type tells them apart.
const headerNames: Readonly<Record<Source, Readonly<Record<"uuid" | "event" | "signature", string>>>> = {
  plane: { uuid: "x-plane-delivery", event: "x-plane-event", signature: "x-plane-signature" },
  gitea: { uuid: "x-gitea-delivery", event: "x-gitea-event-type", signature: "x-gitea-signature" }
}

/** Bytes of all bodies together that are read or wait for their commit. Each is bounded, but their number is not. */
const maxInFlight = 64 * 1024 * 1024

/** The bodies of Plane and Gitea have about a dozen levels. */
const maxDepth = 64

const decodeUtf8 = (bytes: Uint8Array) =>
  Option.liftThrowable(() => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes))()

const parseJson = Option.liftThrowable((text: string): unknown => JSON.parse(text))

const annotated = Effect.annotateLogs({ service: "Webhooks" })

const make = Effect.gen(function*() {
  const { insecure, secrets } = yield* WebhookConfig
  const inbox = yield* Inbox
  const status: Record<Source, SourceStatus> = {
    plane: { acceptedAt: undefined, refused: undefined },
    gitea: { acceptedAt: undefined, refused: undefined }
  }
  const warn: Readonly<Record<Source, (line: string) => Effect.Effect<void>>> = {
    plane: yield* makeWarningThrottle,
    gitea: yield* makeWarningThrottle
  }

  for (const source of ["plane", "gitea"] as const) {
    if (insecure && Redacted.value(secrets[source]) === "") {
      yield* Effect.logWarning(
        `ORCH_WEBHOOKS_INSECURE: hooks sent to /webhooks/${source} are accepted without a signature`
      ).pipe(annotated)
    }
  }

  const noteRefused = (source: Source, why: string) =>
    Effect.flatMap(epochMillis, (now) => {
      status[source] = { ...status[source], refused: { at: now, why } }
      return warn[source](`A hook sent to /webhooks/${source} was refused: ${why}`)
    }).pipe(annotated)

  const checkSignature = (source: Source, given: string, isRight: (secret: string) => boolean) => {
    const secret = Redacted.value(secrets[source])
    // Without a secret only `insecure` lets a hook come this far.
    return secret === "" || isRight(secret)
      ? Effect.void
      : new Refused({
        status: 401,
        why: given === ""
          ? `it is not signed: is the secret of ${secretSetting[source]} set at the sender?`
          : `its signature is not that of ${secretSetting[source]}`
      })
  }

  let inFlight = 0

  /**
   * Holds the memory of a body until `taking` has ended, in whatever way. It is reserved for bytes that have come and
   * not for bytes that are announced, because anybody can announce a large body and send nothing.
   */
  const withMemory = <E>(taking: (reserve: ReserveMemory) => Effect.Effect<void, E>) =>
    Effect.suspend(() => {
      let held = 0
      const reserve: ReserveMemory = (bytes) => {
        if (inFlight + bytes > maxInFlight) return false
        inFlight += bytes
        held += bytes
        return true
      }
      return Effect.ensuring(
        taking(reserve),
        Effect.sync(() => {
          inFlight -= held
        })
      )
    })

  const take = (source: Source, { body, headers }: Received, given: string, reserve: ReserveMemory) =>
    Effect.gen(function*() {
      const names = headerNames[source]
      const header = (name: string) => cleanLine(headers[name] ?? "", textLimit)
      const bytes = yield* body(reserve)
      yield* checkSignature(source, given, (secret) => isSignedWith(secret, bytes, given))
      const text = decodeUtf8(bytes)
      const json = Option.flatMap(text, parseJson)
      if (Option.isNone(text) || Option.isNone(json)) {
        return yield* new Refused({ status: 400, why: "its body is not JSON" })
      }
      if (isDeeperThan(json.value, maxDepth)) {
        return yield* new Refused({ status: 400, why: `its body is nested deeper than ${maxDepth} levels` })
      }
      yield* inbox.store({
        source,
        uuid: header(names.uuid),
        event: header(names.event),
        body: text.value,
        digest: createHash("sha256").update(bytes).digest("hex")
        // The commit is awaited even if the sender has hung up.
      }).pipe(Effect.uninterruptible)
      const acceptedAt = yield* epochMillis
      status[source] = { ...status[source], acceptedAt }
    })

  const receive = (source: Source, received: Received) =>
    Effect.gen(function*() {
      const { headers } = received
      if (!insecure && Redacted.value(secrets[source]) === "") {
        return yield* new Refused({
          status: 503,
          why: `no secret is set: set ${secretSetting[source]}, ` +
            "or ORCH_WEBHOOKS_INSECURE=true to accept hooks without a signature"
        })
      }
      const type = headers["content-type"] ?? ""
      if (!isJsonType(type)) {
        return yield* new Refused({
          status: 415,
          why: `its Content-Type is ${JSON.stringify(type.slice(0, 100))}: set application/json at the sender`
        })
      }
      const given = headers[headerNames[source].signature] ?? ""
      // Checked before the body is read, so that a request without a signature takes no memory.
      yield* checkSignature(source, given, () => isSignature(given))
      yield* withMemory((reserve) => take(source, received, given, reserve))
    }).pipe(
      Effect.tapError((error) => noteRefused(source, error._tag === "StorageError" ? error.message : error.why))
    )

  return Receiver.of({ receive, status: Effect.sync(() => ({ ...status })) })
})
