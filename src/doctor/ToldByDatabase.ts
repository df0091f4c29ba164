import { replicaStatement } from "../outbox/Replicas.js"
import { leaderStatement } from "../outbox/SeenLeader.js"
import { lastHeardStatement } from "../webhooks/LastHeard.js"

/** The statements whose answers later checks need. They only read. */
export const toldByDatabase: ReadonlyArray<string> = [leaderStatement, lastHeardStatement, replicaStatement]
