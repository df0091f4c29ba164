import type { Scope } from "effect"
import { Effect, Either } from "effect"
import type { PostgresAddress } from "../../src/storage/postgres/Address.js"
import { parseAddress } from "../../src/storage/postgres/Address.js"
import { choose, installed } from "../support/PostgresBinaries.js"
import type { Cluster } from "../support/PostgresCluster.js"
import { makeCluster } from "../support/PostgresCluster.js"
import type { TcpProxy } from "../support/TcpProxy.js"
import { makeTcpProxy } from "../support/TcpProxy.js"

/** A Postgres of a row's own, and the network to it. */
export interface OnPostgres {
  readonly address: PostgresAddress
  /** Where the pipeline's tables are, past the network that can fail. */
  readonly url: string
  readonly cluster: Cluster
  readonly proxy: TcpProxy
  /** Another server, which is empty. */
  readonly another: Effect.Effect<Cluster, never, Scope.Scope>
}

const wanted = process.env["ORCH_TEST_DATABASE_URL"] === "none" ? "none" : undefined

// Looked for when a row needs it, because that runs other programs.
const choice = () => choose(wanted, installed)

/** Why no row on Postgres can be run here. Undefined where it can. */
export const whyNoPostgres = (): string | undefined => {
  const chosen = choice()
  return chosen._tag === "None" ? chosen.why : undefined
}

/** Makes a server, until the scope closes. */
export const makeOnPostgres: Effect.Effect<OnPostgres, never, Scope.Scope> = Effect.gen(function*() {
  const chosen = choice()
  if (chosen._tag !== "Own") return yield* Effect.dieMessage("a row on Postgres needs its programs")
  const another = Effect.orDie(makeCluster(chosen.folder))
  const cluster = yield* another
  const proxy = yield* makeTcpProxy(cluster.port)
  const url = cluster.url("postgres")
  return { address: Either.getOrThrow(parseAddress(proxy.via(url))), url, cluster, proxy, another }
})
