import type { Array as Arr } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { GiteaError } from "../gitea/GiteaError.js"
import type { OutboxStatus } from "../outbox/Queries.js"
import type { Replica } from "../outbox/Replicas.js"
import type { Silent } from "../repair/Silence.js"
import type { ProjectStatus } from "../sending/PlaneSync.js"
import type { StorageError } from "../storage/StorageError.js"
import type { SourceStatus } from "../webhooks/Receiver.js"
import type { Source } from "../webhooks/WebhookConfig.js"

/** All that a report on the program's health is made from, as it was read at the moment `now`. */
export interface HealthFacts {
  readonly now: EpochMillis
  readonly projects: Arr.NonEmptyReadonlyArray<ProjectStatus>
  /** Why what other projects are owed waits. */
  readonly left: ReadonlyArray<string>
  /** Who is the leader instead of this process; undefined while it leads itself. */
  readonly standby: string | undefined
  /** The projects that another replica sends for, which alone knows how that goes, by their identifiers. */
  readonly elsewhere: ReadonlyArray<string>
  /** The replicas of a Postgres, as far as they could be read; none over a file. */
  readonly replicas: ReadonlyArray<Replica>
  /** What is not known of the database file yet, or what damage was found; undefined when it is whole. */
  readonly integrity: string | undefined
  /** As last read. */
  readonly outbox: OutboxStatus
  /** How many notices were given up, as last read; at most 1,000. */
  readonly deadNotices: number
  /** Why storage could not be read, the last time that it was tried. */
  readonly readFailure: StorageError | undefined
  /** Why the workers cannot store what they do. */
  readonly workerFailure: StorageError | undefined
  /** The last write of a request or a hook, if it failed. */
  readonly writeFailure: { readonly at: EpochMillis; readonly error: StorageError } | undefined
  /** Events that could not be stored since the start and are only in the log, and when that was last noticed. */
  readonly notStored: { readonly count: number; readonly at: EpochMillis }
  /** Why Gitea cannot be asked; nothing without a token. */
  readonly gitea: ReadonlyArray<GiteaError>
  /** The senders whose secret is set. */
  readonly heard: ReadonlyArray<Source>
  /** The workspaces of Plane whose webhook is off, or does not reach us. */
  readonly silent: ReadonlyArray<Silent>
  readonly hooks: Readonly<Record<Source, SourceStatus>>
}
