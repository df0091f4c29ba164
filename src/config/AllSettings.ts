import type { Setting } from "../base/Setting.js"
import {
  attentionSetting,
  commandSettings,
  projectSettings,
  pullRequestSettings,
  startSettings
} from "../domain/ProjectSettings.js"
import { giteaSettings } from "../gitea/GiteaConfig.js"
import { agentSettings } from "../launching/AgentConfig.js"
import { noticeSettings } from "../people/NoticeConfig.js"
import { peopleSettings } from "../people/PeopleConfig.js"
import { accessSettings, sendingSettings } from "../plane/PlaneConfig.js"
import { retention } from "../storage/Retention.js"
import { databaseAddress } from "../storage/Storage.js"
import { launchLimit } from "../tasks/Launches.js"
import { webhookSettings } from "../webhooks/WebhookConfig.js"
import { logSettings } from "./LogConfig.js"
import { configFile } from "./ProjectsConfig.js"
import { serverSettings } from "./ServerConfig.js"

/** Settings that are shown together. */
export interface SettingGroup {
  readonly title: string
  readonly settings: ReadonlyArray<Setting<unknown>>
}

const group = (title: string, settings: Readonly<Record<string, Setting<unknown>>>): SettingGroup => ({
  title,
  settings: Object.values(settings)
})

/** The settings that a new installation sets first. */
export const firstSettings: SettingGroup = group("Plane", accessSettings)

/**
 * All other settings, in the order in which they are shown. Each room defines its own settings, because the rooms that
 * read them (`storage/` imports only `base/`) may not import this one; what `http/` and `cli/` share stands here in
 * `config/`. A setting that is missing in this list fails a test.
 */
export const optionalSettings: ReadonlyArray<SettingGroup> = [
  group("The projects", { configFile, ...projectSettings }),
  group("Sending to Plane", sendingSettings),
  group("Storage", { databaseAddress, retention }),
  group("Starting tasks", startSettings),
  group("Waiting for somebody", { attention: attentionSetting, ...peopleSettings, ...noticeSettings }),
  group("Commands in comments", commandSettings),
  group("Agents", { launchLimit, ...agentSettings }),
  group("The HTTP interface", serverSettings),
  group("Webhooks", webhookSettings),
  group("Gitea", { ...giteaSettings, ...pullRequestSettings }),
  group("Logs", logSettings)
]

/** All settings there are. */
export const allSettings: ReadonlyArray<Setting<unknown>> = [firstSettings, ...optionalSettings].flatMap(
  ({ settings }) => settings
)
