import type { ConfigError, Stream } from "effect"
import { Context, DateTime, Effect, Layer, Option } from "effect"
import type { Place } from "../base/BodyRoom.js"
import { BodyRoom } from "../base/BodyRoom.js"
import { isJsonType } from "../base/ContentType.js"
import { cleanLine, textLimit } from "../base/Text.js"
import { makeWarningThrottle } from "../base/WarningThrottle.js"
import { Projects } from "../domain/Projects.js"
import type { Stirs } from "../gitea/Stirs.js"
import { metrics } from "../metrics/Metrics.js"
import type { StorageError } from "../storage/StorageError.js"
import { carriesFacts } from "./GiteaHook.js"
import { fieldsOf } from "./HookFields.js"
import { Inbox } from "./Inbox.js"
import { jsonBody } from "./JsonBody.js"
import { readHook } from "./ReadHook.js"
import type { Overloaded } from "./Refused.js"
import { Refused } from "./Refused.js"
import type { Secret } from "./Secrets.js"
import { commonSigner, secretsOf } from "./Secrets.js"
import { checkSignature, isSignature } from "./Signature.js"
import type { SkippedKind } from "./SkippedHooks.js"
import { SkippedHooks } from "./SkippedHooks.js"
import type { Source } from "./WebhookConfig.js"
import { previousSetting, secretSetting, WebhookConfig } from "./WebhookConfig.js"
import { makeWithoutFacts } from "./WithoutFacts.js"

/** When hooks of a sender were last accepted and refused, and what nothing was done with. */
export interface SourceStatus {
  readonly acceptedAt: Option.Option<DateTime.Utc>
  readonly refused: Option.Option<{ readonly at: DateTime.Utc; readonly why: string }>
  /** How many were refused since one was accepted. Their moments do not tell, because the clock can be set. */
  readonly refusedSince: number
  readonly skipped: ReadonlyArray<SkippedKind>
}

/** What is read of a request. Names of headers are lower case. */
export interface Received {
  readonly headers: Readonly<Record<string, string | undefined>>
  /** The sender's network address, if it is known. How much room the bodies of one address take is bounded. */
  readonly address?: string | undefined
  /** The body's bytes as they come. It is read once, and not to its end if the hook is refused before. */
  readonly body: Stream.Stream<Uint8Array, unknown>
}

/**
 * What was done with a hook. `stored`: it is on disk, and is worked on. `counted`: its type never moves anything, so
 * nothing of it is kept.
 */
export type Taken = "stored" | "counted"

/** Accepts hooks: one with the right signature is committed, and worked on afterwards. */
export class Receiver extends Context.Tag("plane-sync/Receiver")<Receiver, {
  /** Succeeds once the hook is on disk, if it is one that may move something. Waits for nothing else. */
  readonly receive: (source: Source, received: Received) => Effect.Effect<Taken, Overloaded | Refused | StorageError>
  readonly status: Effect.Effect<Readonly<Record<Source, SourceStatus>>>
}>() {
  static readonly layer: Layer.Layer<
    Receiver,
    ConfigError.ConfigError,
    BodyRoom | Inbox | Projects | SkippedHooks | Stirs
  > = Layer.effect(Receiver, Effect.suspend(() => make))
}

// Newer versions of Forgejo may send only the names of their own. X-Gitea-Event groups several events under one name;
// only the type tells them apart.
const headerNames: Readonly<Record<Source, Readonly<Record<"uuid" | "event" | "signature", ReadonlyArray<string>>>>> = {
  plane: { uuid: ["x-plane-delivery"], event: ["x-plane-event"], signature: ["x-plane-signature"] },
  gitea: {
    uuid: ["x-gitea-delivery", "x-forgejo-delivery"],
    event: ["x-gitea-event-type", "x-forgejo-event-type"],
    signature: ["x-gitea-signature", "x-forgejo-signature"]
  }
}

/** The room of a hook's body, and the size that its sender announces. */
interface Admitted {
  readonly place: Place
  readonly announced: number | undefined
}

const anyOf = (names: ReadonlyArray<string>) => names.join(" or ")

const annotated = Effect.annotateLogs({ service: "Webhooks" })

const sources = ["plane", "gitea"] as const

const verdicts = { Overloaded: "overloaded", Refused: "refused", StorageError: "not_stored" } as const

const make = Effect.gen(function*() {
  const config = yield* WebhookConfig
  const { insecure } = config
  const projects = yield* Projects
  const secrets: Readonly<Record<Source, ReadonlyArray<Secret>>> = {
    plane: secretsOf(config, projects, "plane"),
    gitea: secretsOf(config, projects, "gitea")
  }
  const inbox = yield* Inbox
  const { counts } = yield* SkippedHooks
  const withoutFacts = yield* makeWithoutFacts
  const { withPlace } = yield* BodyRoom
  const turns = { signed: yield* Effect.makeSemaphore(1), unsigned: yield* Effect.makeSemaphore(1) }
  const status: Record<Source, Omit<SourceStatus, "skipped">> = {
    plane: { acceptedAt: Option.none(), refused: Option.none(), refusedSince: 0 },
    gitea: { acceptedAt: Option.none(), refused: Option.none(), refusedSince: 0 }
  }
  const throttles = { plane: yield* makeWarningThrottle, gitea: yield* makeWarningThrottle }
  const previousThrottles = { plane: yield* makeWarningThrottle, gitea: yield* makeWarningThrottle }

  for (const source of sources) {
    if (insecure && secrets[source].length === 0) {
      yield* Effect.logWarning(
        `ORCH_WEBHOOKS_INSECURE: hooks sent to /webhooks/${source} are accepted without a signature`
      ).pipe(annotated)
    }
  }

  const noteRefused = (source: Source, why: string) =>
    Effect.flatMap(DateTime.now, (at) => {
      const { refusedSince } = status[source]
      status[source] = { ...status[source], refused: Option.some({ at, why }), refusedSince: refusedSince + 1 }
      return throttles[source](`A hook sent to /webhooks/${source} was refused: ${why}`)
    }).pipe(annotated)

  const notePrevious = (source: Source) =>
    previousThrottles[source](
      `A hook sent to /webhooks/${source} is signed with the secret of ${previousSetting[source]}: ` +
        `give the sender that of ${secretSetting[source]}, and remove the other when this is not said any more`
    ).pipe(annotated)

  const notSigned = (source: Source) =>
    new Refused({
      status: 401,
      why: `it is not signed: is the secret of ${anyOf(settingsOf(source))} set at the sender?`
    })

  const settingsOf = (source: Source) => secrets[source].map(({ setting }) => setting)

  const wrongSignature = (source: Source) =>
    new Refused({ status: 401, why: `its signature is not that of ${settingsOf(source).join(", nor that of ")}` })

  /** The body, if its signature is right, and whose secret it is signed with. */
  const readSigned = (source: Source, { body }: Received, given: string, { announced, place }: Admitted) =>
    Effect.gen(function*() {
      const known = secrets[source]
      const { signedWith, update } = checkSignature(known.map(({ value }) => value))
      const isSigned = known.length > 0
      const chunks = yield* readHook({ body, announced, isSigned, place, update })
      if (!isSigned) return { chunks, signer: commonSigner, isSigned }
      const secret = known[signedWith(given) ?? -1]
      if (secret === undefined) return yield* wrongSignature(source)
      if (secret.isPrevious) yield* notePrevious(source)
      return { chunks, signer: secret.signer, isSigned }
    })

  const take = (source: Source, received: Received, given: string, admitted: Admitted) =>
    Effect.gen(function*() {
      const header = (name: "event" | "uuid") => cleanLine(headerOf(source, received, name), textLimit)
      const event = header("event")
      const { chunks, isSigned, signer } = yield* readSigned(source, received, given, admitted)
      const turn = isSigned ? turns.signed : turns.unsigned
      const { digest, text: body } = yield* jsonBody(chunks, fieldsOf(source, event), turn)
      const isStored = source === "plane" || carriesFacts(event)
      yield* isStored
        // The commit is awaited even if the sender has hung up.
        ? Effect.uninterruptible(inbox.store({ source, signer, isSigned, uuid: header("uuid"), event, body, digest }))
        : withoutFacts.skipType(event, body, signer)
      const acceptedAt = Option.some(yield* DateTime.now)
      status[source] = { ...status[source], acceptedAt, refusedSince: 0 }
      return isStored ? "stored" : "counted"
    })

  const receive = (source: Source, received: Received) =>
    Effect.gen(function*() {
      const { headers } = received
      const isSigned = secrets[source].length > 0
      if (!insecure && !isSigned) {
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
      const given = headerOf(source, received, "signature")
      // Checked before the body is read, so that a request without a signature takes no memory.
      if (isSigned && given === "") return yield* notSigned(source)
      if (isSigned && !isSignature(given)) return yield* wrongSignature(source)
      const length = headers["content-length"]
      const announced = length === undefined ? undefined : Number(length)
      const sent = { address: received.address ?? "", isSigned, announced }
      return yield* withPlace(sent, (place) => take(source, received, given, { place, announced }))
    }).pipe(
      Effect.tap((taken) => Effect.sync(() => metrics.hooks.add({ source, verdict: taken }))),
      Effect.tapError((error) => {
        metrics.hooks.add({ source, verdict: verdicts[error._tag] })
        return noteRefused(source, error._tag === "StorageError" ? error.message : error.why)
      })
    )

  return Receiver.of({
    receive,
    status: Effect.map(counts, (skipped) => ({
      plane: { ...status.plane, skipped: skipped.plane },
      gitea: { ...status.gitea, skipped: skipped.gitea }
    }))
  })
})

const headerOf = (source: Source, { headers }: Received, name: "event" | "signature" | "uuid"): string =>
  headerNames[source][name].map((name) => headers[name] ?? "").find((value) => value !== "") ?? ""
