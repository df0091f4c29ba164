import { Cause, Duration, Effect, Option } from "effect"
import type { Scope } from "effect"
import { cleanText, reasonLimit } from "../base/Text.js"
import { takeDue } from "../storage/DueWork.js"
import { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import { isStatementError } from "../storage/StorageError.js"
import { WakeUps } from "../storage/WakeUps.js"
import type { Inbox, StoredHook } from "./Inbox.js"
import type { Source } from "./WebhookConfig.js"

/** Works on hooks of one sender, in their order, and settles each. Repeated after a crash, it changes nothing. */
export type Handler = (hooks: ReadonlyArray<StoredHook>) => Effect.Effect<void, StorageError>

/** Hooks that are worked on together: they share their commits. */
const batch = 128

/** A pause for hooks to gather into a batch, because each batch costs commits, and has gates asked. */
const gatheringTime = "50 millis"

// What another process has stored, as a standby or the command line does, is looked for no more often than this.
const foreignTime = "1 second"

// No hook is put off for longer than some seconds.
const maxAhead = Duration.minutes(1)

/**
 * Starts the one worker, which works on hooks in the order they came, until the scope closes. What is not settled then
 * is worked on after the next start. While storage fails it tries again each second. A hook that fails for a reason of
 * its own is logged, and kept as skipped with the reason, so that it holds up no other.
 */
export const startHookWorker = (
  inbox: Inbox["Type"],
  handlers: Readonly<Record<Source, Handler>>
): Effect.Effect<void, never, Scope.Scope | Storage | WakeUps> =>
  Effect.gen(function*() {
    const { trouble: { retry } } = yield* Storage
    const wakeUps = yield* WakeUps

    const skip = (hook: StoredHook, cause: Cause.Cause<unknown>) =>
      Effect.zipRight(
        Effect.logError(`Hook ${hook.id} of ${hook.source} cannot be worked on`, cause),
        inbox.settle(
          new Map([[hook.id, { _tag: "Skipped", reason: cleanText(String(Cause.squash(cause)), reasonLimit) }]])
        )
      )

    const work = (source: Source, hooks: ReadonlyArray<StoredHook>): Effect.Effect<void, StorageError> => {
      const [first, ...others] = hooks
      if (first === undefined) return Effect.void
      return Effect.catchAllCause(handlers[source](hooks), (cause) => {
        const failure = Cause.failureOption(cause)
        const isItsOwn = Cause.isDie(cause) || Option.exists(failure, isStatementError)
        if (!isItsOwn) return Effect.failCause(cause)
        return others.length === 0
          ? skip(first, cause)
          // Some may have been settled before the failure, and what the rows say may have changed.
          : Effect.forEach(
            hooks,
            ({ id }) => Effect.flatMap(inbox.ifDue(id), (hook) => work(source, Option.toArray(hook))),
            { discard: true }
          )
      })
    }

    /** Works on what is due. Says how many hooks that were. Before it is repeated it reads them again. */
    const workOnDue = Effect.gen(function*() {
      const hooks = yield* inbox.due(batch)
      // The senders know nothing of each other, so only the order of each one's hooks matters.
      for (const source of ["plane", "gitea"] as const) {
        yield* work(source, hooks.filter((hook) => hook.source === source))
      }
      return hooks.length
    })

    let lastLook = yield* wakeUps.mark
    const foreign = Effect.delay(Effect.suspend(() => wakeUps.since(lastLook)), foreignTime)

    const due = takeDue({
      signal: {
        mark: Effect.zipRight(
          Effect.map(wakeUps.mark, (mark) => {
            lastLook = mark
          }),
          inbox.arrivals.mark
        ),
        since: (mark) => Effect.raceFirst(inbox.arrivals.since(mark), foreign)
      },
      maxAhead,
      next: Effect.map(
        retry(inbox.nextDue(maxAhead)),
        (dueAt) => dueAt === undefined ? undefined : { dueAt }
      )
    })

    const turn = Effect.gen(function*() {
      yield* due
      if ((yield* retry(workOnDue)) < batch) yield* Effect.sleep(gatheringTime)
    })

    yield* Effect.forkScoped(Effect.forever(turn))
  }).pipe(Effect.annotateLogs({ service: "Webhooks" }))
