import { Redacted } from "effect"
import type { Project } from "../domain/Project.js"
import type { Projects } from "../domain/Projects.js"
import { commonForge, forgeAt } from "../gitea/Forges.js"
import type { Source, WebhookConfig } from "./WebhookConfig.js"
import { previousSetting, secretSetting } from "./WebhookConfig.js"

/** A secret that hooks may be signed with. */
export interface Secret {
  readonly value: string
  /** The variable that holds it. */
  readonly setting: string
  /** It was the present one before. */
  readonly isPrevious: boolean
  /**
   * What is stored with a hook that is signed with it: whose secret it is. Of Gitea the address of a project's own; of
   * Plane the identifier of the first project that has it. Empty: that of all projects that have none of their own.
   */
  readonly signer: string
}

/** The signer of hooks that are signed with the secret of all projects, or not at all. */
export const commonSigner = ""

/** The signer of the hooks that Plane sends about a project. */
export const signerOf = ({ identifier, webhookSecret }: Project): string =>
  webhookSecret === undefined ? commonSigner : identifier

/** The secrets of a sender. None: whatever comes is accepted, if that is set. */
export const secretsOf = (
  { previous, secrets }: WebhookConfig,
  { all }: Projects["Type"],
  source: Source
): ReadonlyArray<Secret> => {
  const common = { signer: commonSigner }
  const found: ReadonlyArray<Secret> = [
    { ...common, value: Redacted.value(secrets[source]), setting: secretSetting[source], isPrevious: false },
    { ...common, value: Redacted.value(previous[source]), setting: previousSetting[source], isPrevious: true },
    ...all.flatMap((project) => {
      const secret = source === "plane" ? project.webhookSecret : project.gitea?.webhookSecret
      if (secret === undefined) return []
      const { giteaWebhookSecret, webhookSecret } = project.names
      return [{
        value: Redacted.value(secret),
        setting: source === "plane" ? webhookSecret : giteaWebhookSecret,
        isPrevious: false,
        signer: source === "plane" ? project.identifier : project.gitea?.url ?? commonSigner
      }]
    })
  ]
  // Of those that are the same the first one counts.
  return found.filter(({ value }, index) => value !== "" && found.findIndex((one) => one.value === value) === index)
}

/** The senders that are listened to, because a secret of theirs is set. */
export const heardSources = (config: WebhookConfig, projects: Projects["Type"]): ReadonlyArray<Source> =>
  (["plane", "gitea"] as const).filter((source) => secretsOf(config, projects, source).length > 0)

/** The Gitea whose hooks have this signer. */
export const forgeOfSigner = (signer: string): number => signer === commonSigner ? commonForge : forgeAt(signer)

/** Makes a test of whether a hook of Plane may move a project's work items: its signer has the project's secret. */
export const makeIsSignedFor = ({ secrets }: WebhookConfig, { all }: Projects["Type"]) => {
  const common = Redacted.value(secrets.plane)
  const secretOf = (project: Pick<Project, "webhookSecret"> | undefined) =>
    project?.webhookSecret === undefined ? common : Redacted.value(project.webhookSecret)
  return (signer: string, project: Project): boolean => {
    const first = all.find(({ identifier }) => identifier === signer)
    // The project that it was stored for is not set any more.
    if (first === undefined && signer !== commonSigner) return false
    return secretOf(first) === secretOf(project)
  }
}
