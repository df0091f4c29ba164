import type { Scope } from "effect"
import { Cause, Duration, Effect, Option } from "effect"
import { cleanLine, textLimit } from "../base/Text.js"
import type { EpochMillis } from "../base/Time.js"
import { epochMillis, utc } from "../base/Time.js"
import type { Looked, MovedItem } from "../domain/WorkItemLook.js"
import { WorkItemLook } from "../domain/WorkItemLook.js"
import { metrics } from "../metrics/Metrics.js"
import type { Covers } from "../outbox/Covers.js"
import { startDueWork } from "../storage/DueWork.js"
import { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import type { StorageTrouble } from "../storage/StorageTrouble.js"
import { WakeUps } from "../storage/WakeUps.js"
import { AgentLauncher } from "./AgentLauncher.js"
import { longestPause, makeFailures } from "./Failures.js"
import type { LaunchRow } from "./Launches.js"
import {
  beginCall,
  claimLaunch,
  dropLaunch,
  endWork,
  launched,
  longestWork,
  notLaunched,
  notStopped,
  readOwedLaunches,
  readOwedStops,
  readWorking,
  stopped
} from "./Launches.js"
import { LaunchFailed } from "./LaunchFailed.js"
import type { PersonMove } from "./PersonMove.js"
import { Pipeline } from "./Pipeline.js"
import type { Task } from "./Task.js"
import { TaskStore } from "./TaskStore.js"

// Launchers and looks wait for others: see `startDueWork` for those that take long.
const concurrency = 4
const patience = "30 seconds"

/** Whether a project has only been renamed in Plane becomes known a moment after the start. */
const leftPause = Duration.minutes(1)

/** A move that a look has found, which tells neither who has made it nor what its state is called. */
const moveOf = ({ at, group, stateId }: MovedItem): PersonMove => ({
  group,
  stateId,
  at: utc(at),
  who: Option.none(),
  stateName: Option.none(),
  isNew: false
})

/** Calls that run in this process, also those that were given up and cannot be interrupted. */
const makeCalls = () => {
  const running = new Map<string, { readonly ended: Effect.Latch; count: number }>()
  return {
    /** Counts a call until it has really ended. */
    during: (entry: string) => <A, E>(call: Effect.Effect<A, E>) =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          const calls = running.get(entry) ?? { ended: Effect.unsafeMakeLatch(false), count: 0 }
          running.set(entry, calls)
          calls.count += 1
          return calls
        }),
        () => call,
        (calls) =>
          Effect.suspend(() => {
            calls.count -= 1
            if (calls.count > 0) return Effect.void
            running.delete(entry)
            return calls.ended.open
          })
      ),
    /** Waits until no call of the entry runs. */
    ended: (entry: string) => Effect.suspend(() => running.get(entry)?.ended.await ?? Effect.void)
  }
}

/**
 * Launches the agents that are owed, as many as may be at work, and stops those that are to be stopped, until the scope
 * closes. A launch has its turn first, so that no other process has it too. Then what Plane shows of the work item is
 * looked at, if there is a `WorkItemLook`. Then it is marked as tried, and the launcher is called. Where the pipeline
 * launches nobody, what is owed is dropped: the command line may owe a launch without knowing that.
 */
export const startLaunching = (
  { most, of: ofOurs, trouble }: {
    /** `ORCH_LAUNCHES`. */
    readonly most: number
    /** Those that this process leads now. */
    readonly of: Covers
    readonly trouble: StorageTrouble
  }
): Effect.Effect<
  void,
  never,
  AgentLauncher | Pipeline | Scope.Scope | Storage | TaskStore | WakeUps
> =>
  Effect.gen(function*() {
    const { read, sql, write } = yield* Storage
    const wakeUps = yield* WakeUps
    const tasks = yield* TaskStore
    const launcher = yield* AgentLauncher
    const { launches, of } = yield* Pipeline
    const looks = Option.getOrUndefined(yield* Effect.serviceOption(WorkItemLook))
    const calls = makeCalls()
    const failures = makeFailures()

    /**
     * Calls the launcher. What it does is logged, and never ends anything here. Returns the pause before the next try if
     * it has failed, or did not answer in time.
     */
    const call = (what: "launched" | "stopped", task: Task, row: LaunchRow, run: Effect.Effect<void, unknown>) => {
      const { agent, id, stage } = row
      const key = `${what} ${id}`
      const where = `${what} for ${task.workItem} at ${stage}`
      const failed = (mayBeDone: boolean, why: string, retryAfter?: Duration.Duration) =>
        Effect.map(
          failures.failed(key, `${agent} was not ${where}`, { why, retryAfter }),
          (pause) => ({ mayBeDone, pause })
        )
      return run.pipe(
        // A call that cannot be interrupted goes on in the background, and nobody waits for it.
        Effect.disconnect,
        Effect.timeoutOption(patience),
        Effect.flatMap((answer) =>
          Option.isNone(answer)
            ? failed(true, `no answer within ${patience}`)
            : Effect.as(failures.done(key, `${agent} is ${where}`), undefined)
        ),
        Effect.catchAllCause((cause) => {
          if (Cause.isInterruptedOnly(cause)) return Effect.interrupt
          const error = Cause.squash(cause)
          const retryAfter = error instanceof LaunchFailed ? error.retryAfter : undefined
          return failed(false, cleanLine(String(error), textLimit), retryAfter)
        })
      )
    }

    const act = (task: Task, looked: Looked): Effect.Effect<void, StorageError> => {
      switch (looked._tag) {
        case "Gone":
          return tasks.stop(task.id, "the work item was deleted or archived in Plane")
        case "Moved":
          return Effect.zipRight(
            tasks.applyMove(task.id, moveOf(looked), looked.states),
            looks?.note(looked) ?? Effect.void
          )
        case "Expected":
        case "Unknown":
          return Effect.void
      }
    }

    const launch = (row: LaunchRow) =>
      Effect.gen(function*() {
        const { agent, id: entry, stage, taskId } = row
        const claimed = yield* epochMillis
        if (!(yield* write(claimLaunch(sql, row, most, claimed)))) return
        const before = yield* tasks.byId(taskId)
        // No setting names its project, which is said when its gates are asked. An earlier call may have launched it.
        if (Option.exists(before, ({ project }) => Option.isNone(of(project)))) {
          return yield* write(notLaunched(sql, row, { mayBeAtWork: true, pause: leftPause }, claimed))
        }
        // Plane was asked a moment ago, and its budget is for more than tries that fail.
        const isLooked = yield* failures.hasJustFailed(`launched ${entry}`)
        if (Option.isSome(before) && looks !== undefined && !isLooked) {
          yield* act(before.value, yield* looks.look(before.value))
        }
        const begun = yield* epochMillis
        if (!(yield* write(beginCall(sql, row, begun)))) return
        const found = yield* tasks.byId(taskId)
        if (Option.isNone(found)) return
        const task = found.value
        const failed = yield* Effect.suspend(() => launcher.launch({ agent, entry, stage, task })).pipe(
          calls.during(entry),
          (run) => call("launched", task, row, run)
        )
        const outcome = failed === undefined ? "launched" : failed.mayBeDone ? "no_answer" : "failed"
        metrics.launches.add({ agent, outcome })
        const now = yield* epochMillis
        // Repeated here, because the repetition of the whole would launch the agent again.
        yield* trouble.retry(
          write(
            failed === undefined
              ? launched(sql, row, now)
              : notLaunched(sql, row, { mayBeAtWork: failed.mayBeDone, pause: failed.pause }, now)
          )
        )
      })

    const stop = (row: LaunchRow) =>
      Effect.gen(function*() {
        const { agent, id: entry, stage, taskId } = row
        const found = yield* tasks.byId(taskId)
        if (Option.isNone(found)) return yield* write(stopped(sql, row))
        const task = found.value
        // It is over, whatever became of it.
        yield* failures.forget(`launched ${entry}`)
        const failed = yield* calls.ended(entry).pipe(
          Effect.zipRight(Effect.suspend(() => launcher.stop({ agent, entry, stage, task }))),
          (run) => call("stopped", task, row, run)
        )
        const now = yield* epochMillis
        if (failed === undefined) return yield* trouble.retry(write(stopped(sql, row)))
        if (yield* trouble.retry(write(notStopped(sql, row, failed.pause, now)))) return
        yield* failures.forget(`stopped ${entry}`)
        yield* Effect.logError(`${agent} could not be stopped for ${task.workItem} at ${stage}: it is not tried again`)
      })

    const endLongWork = (row: LaunchRow) =>
      Effect.gen(function*() {
        const now = yield* epochMillis
        if (!(yield* write(endWork(sql, row, now)))) return
        yield* Effect.logWarning(
          `Nothing was heard of ${row.agent} at ${row.stage} for 6 hours: it does not count as at work any more`
        ).pipe(Effect.annotateLogs({ transition: row.id }))
      })

    yield* startDueWork({
      concurrency,
      trouble,
      wakeUps,
      maxAhead: longestPause,
      read: (limit, furthest) =>
        Effect.flatMap(epochMillis, (now) =>
          read(
            readOwedLaunches(sql, {
              of: ofOurs,
              limit,
              now,
              furthest,
              most: launches ? most : Number.MAX_SAFE_INTEGER
            })
          )),
      perform: launches ? launch : (row) => write(dropLaunch(sql, row))
    })
    yield* startDueWork({
      concurrency,
      trouble,
      wakeUps,
      maxAhead: longestPause,
      read: (limit, furthest) => read(readOwedStops(sql, limit, furthest, ofOurs)),
      perform: stop
    })
    yield* startDueWork({
      concurrency: 1,
      trouble,
      wakeUps,
      maxAhead: longestWork,
      read: (limit: number, furthest: EpochMillis) => read(readWorking(sql, limit, furthest, ofOurs)),
      perform: endLongWork
    })
  })
