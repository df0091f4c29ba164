import { Clock, Deferred, Duration, Effect, Exit, Option } from "effect"
import type { Child } from "./Child.js"
import { inTime, within } from "./Program.js"
import type { Met, Replica, Replicas } from "./Replicas.js"
import { aWrite } from "./Trail.js"

/** What is done to several replicas on one Postgres. */
export const replicaSteps = [
  "leader killed",
  "killed after commit",
  "killed after send",
  "killed after the answer",
  "killed in mid-settle",
  "standby killed",
  "leader stopped",
  "all connections cut",
  "leader's way cut",
  "leader's way hung",
  "Postgres stopped",
  "Postgres crashed",
  "Postgres frozen"
] as const

export type ReplicaStep = typeof replicaSteps[number]

/** What each step does, from outside the program. */
export const replicaAims: Readonly<Record<ReplicaStep, string>> = {
  "leader killed": "at any moment; of three times once it stays away until another leads",
  "killed after commit": "the replica that has answered a publisher 202",
  "killed after send": "the leader: the simulator has a write's request, or has applied it, and has not answered",
  "killed after the answer": "the leader: the simulator has handed a write's whole answer to the system",
  "killed in mid-settle": "the leader: 0 to 8 ms after that",
  "standby killed": "at any moment; every second time also while it starts again",
  "leader stopped":
    "SIGSTOP for 16.5 to 20 s, longer than its lease; every second time its connections are cut meanwhile",
  "all connections cut": "by pg_terminate_backend",
  "leader's way cut": "its connections are reset, and it gets no new ones, for 1 to 20 s",
  "leader's way hung": "nothing passes between it and Postgres, for 1 to 20 s",
  "Postgres stopped": "fast, and started after 0 to 3 s",
  "Postgres crashed": "stopped immediately, and started after 0 to 3 s",
  "Postgres frozen": "SIGSTOP of all its processes for 6 s"
}

/** What was done, and what came of it. */
export interface Done {
  readonly step: ReplicaStep
  /** Of the kills of a leader. */
  readonly met?: Met | undefined
  /** Whether another led when it was over. */
  readonly led: boolean
}

/** A moment that does not come up within this time (nothing was due, or Plane failed) becomes any moment. */
const patience = "4 seconds"

// Most are short, because a run has many.
const aWhile = Effect.map(within(0, 1), (dice) => 1_000 * 20 ** dice)

const killed = (child: Child) => inTime(Duration.seconds(5), "a killed replica: its end")(child.end)

const running = (replica: Replica) =>
  replica.child === undefined ? Effect.dieMessage(`${replica.name} does not run`) : Effect.succeed(replica.child)

/** The steps, on `replicas`. */
export const acts = (replicas: Replicas) => {
  const { cluster, endKill, hooks, launch, leads, list, look, orderKill, up } = replicas
  let killedLeaders = 0
  let killedStandbys = 0
  let stopped = 0

  /** Kills the leader by an order to the simulator, or at any moment if that does not come up. */
  const killLeader = (step: ReplicaStep, isOrdered: boolean) =>
    Effect.gen(function*() {
      const leader = yield* leads()
      const child = yield* running(leader)
      if (isOrdered) {
        const { match, nth } = yield* aWrite
        const when = step !== "killed after send" ? "answered" : (yield* within(0, 1)) < 0.5 ? "arrival" : "applied"
        const later = step === "killed in mid-settle" ? { afterMillis: yield* within(0, 8) } : {}
        yield* orderKill({ pid: child.pid, when, match, nth, ...later })
      }
      const isDone = Option.isSome(
        yield* Effect.timeoutOption(child.end, isOrdered ? patience : `${Math.ceil(yield* within(50, 1_500))} millis`)
      )
      if (!isDone) child.kill()
      yield* killed(child)
      const by = yield* endKill
      const met = yield* look(child.pid, by?.at ?? (yield* Clock.currentTimeMillis))
      if (step === "leader killed" && ++killedLeaders % 3 === 0) yield* leads((other) => other !== leader)
      yield* up(leader)
      const led = yield* leads()
      const done: Done = { step: isDone ? step : "leader killed", met, led: led !== leader }
      return done
    })

  const killAfterCommit = Effect.gen(function*() {
    const leader = yield* leads()
    let left = Math.ceil(yield* within(0, 16))
    const hit = yield* Deferred.make<readonly [Replica, Child]>()
    hooks.accepted = (replica) => {
      const { child } = replica
      left -= 1
      if (left > 0 || child === undefined) return
      child.kill()
      hooks.accepted = undefined
      Deferred.unsafeDone(hit, Exit.succeed([replica, child]))
    }
    const [replica, child] = yield* inTime(Duration.seconds(20), "a 202")(Deferred.await(hit))
    yield* killed(child)
    yield* up(replica)
    return (yield* leads()) !== leader
  })

  const killStandby = Effect.gen(function*() {
    const leader = yield* leads()
    const others = replicas.replicas.filter((replica) => replica !== leader)
    const standby = others[Math.floor(yield* within(0, others.length))] ?? leader
    yield* Effect.sleep(yield* within(0, 500))
    const kill = (child: Child) => Effect.zipRight(Effect.sync(() => child.kill()), killed(child))
    yield* Effect.flatMap(running(standby), kill)
    if (++killedStandbys % 2 === 0) {
      const child = yield* launch(standby)
      yield* Effect.sleep(yield* within(50, 800))
      yield* kill(child)
    }
    yield* up(standby)
    return (yield* leads()) !== leader
  })

  const stopLeader = Effect.gen(function*() {
    const leader = yield* leads()
    const child = yield* running(leader)
    child.signal("SIGSTOP")
    // Who sends it anything is told by a load balancer that it does not answer.
    yield* list(leader, false)
    const cutAfter = yield* within(0, 5_000)
    yield* Effect.sleep(cutAfter)
    if (++stopped % 2 === 0) yield* leader.proxy.cut
    yield* Effect.sleep((yield* within(16_500, 20_000)) - cutAfter)
    const led = yield* replicas.leader
    child.signal("SIGCONT")
    yield* Effect.sleep("2 seconds")
    return led !== undefined && led !== leader
  })

  /** What is done to the database, or to the way to it. */
  const aside = <E>(act: (leader: Replica) => Effect.Effect<unknown, E>) =>
    Effect.gen(function*() {
      const leader = yield* leads()
      yield* Effect.sleep(yield* within(0, 500))
      yield* act(leader)
      return (yield* leads()) !== leader
    })
  const restart = (how: "fast" | "immediate") =>
    aside(() =>
      cluster.stop(how).pipe(
        Effect.zipRight(Effect.flatMap(within(0, 3_000), Effect.sleep)),
        Effect.zipRight(cluster.start)
      )
    )

  const act = (step: ReplicaStep) => {
    switch (step) {
      case "killed after commit":
        return killAfterCommit
      case "standby killed":
        return killStandby
      case "leader stopped":
        return stopLeader
      case "all connections cut":
        return aside(() => cluster.cutConnections)
      case "leader's way cut":
        return aside(({ proxy }) =>
          Effect.zipRight(proxy.refuse, proxy.cut).pipe(
            Effect.zipRight(Effect.flatMap(aWhile, Effect.sleep)),
            Effect.zipRight(proxy.pass)
          )
        )
      case "leader's way hung":
        return aside(({ proxy }) =>
          proxy.hang.pipe(
            Effect.zipRight(Effect.flatMap(aWhile, Effect.sleep)),
            Effect.zipRight(proxy.pass)
          )
        )
      case "Postgres stopped":
        return restart("fast")
      case "Postgres crashed":
        return restart("immediate")
      case "Postgres frozen":
        return aside(() =>
          cluster.freeze.pipe(Effect.zipRight(Effect.sleep("6 seconds")), Effect.zipRight(cluster.thaw))
        )
      default:
        return undefined
    }
  }

  /** Makes a step, and waits until all replicas run and one of them leads. */
  return (step: ReplicaStep) =>
    Effect.gen(function*() {
      const other = act(step)
      const done: Done = other === undefined
        ? yield* killLeader(step, step !== "leader killed")
        : { step, led: yield* other }
      yield* Effect.forEach(replicas.replicas, up, { concurrency: "unbounded" })
      yield* leads()
      yield* replicas.record(yield* Clock.currentTimeMillis)
      yield* Effect.sleep(yield* within(300, 1_000))
      return done
    })
}
