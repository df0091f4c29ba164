import { counted } from "../base/Text.js"
import type { GiteaError } from "../gitea/GiteaError.js"
import { leaderless, lostEvents, refusedHooks, silentWorkspaces, storageTrouble } from "../health/Judge.js"
import { beingChecked } from "../storage/Integrity.js"
import { secretSetting } from "../webhooks/WebhookConfig.js"
import type { FoundNeed } from "./Kinds.js"
import type { OverviewFacts } from "./OverviewFacts.js"
import type { Need } from "./OverviewView.js"

type Parts = Pick<Need, "id" | "label" | "title" | "remedy"> & Partial<Omit<Need, "severity">>

const found = (kind: FoundNeed["kind"], sentence: string, parts: Parts): FoundNeed => ({
  kind,
  sentence,
  need: { since: null, count: 1, workItem: null, evidence: null, actions: [], ...parts }
})

/** What is lost cannot be mended here, so it comes before everything else. */
const lost = ({ health }: OverviewFacts): ReadonlyArray<FoundNeed> => {
  const count = lostEvents(health)
  const events = counted(count, "event", "events")
  return count === 0 ? [] : [
    found("lost", `${events} could not be stored.`, {
      id: "lost",
      label: "Events lost",
      count,
      title: `${events} could not be stored`,
      remedy: "The log has each in a line of its own, `Event not stored`: publish them again once storage works."
    })
  ]
}

const storage = ({ health }: OverviewFacts): ReadonlyArray<FoundNeed> => {
  const trouble = storageTrouble(health)
  if (trouble !== undefined) {
    return [found("storage", "What happens cannot be stored.", {
      id: "storage",
      label: "Storage",
      title: "What happens cannot be stored",
      evidence: { before: "", words: trouble.message },
      remedy: "Mend that on the machine: it is tried again each second. `plane-sync doctor` looks at it closely."
    })]
  }
  const { integrity } = health
  return integrity === undefined || integrity.endsWith(beingChecked) ? [] : [
    found("damage", "The database is damaged.", {
      id: "damage",
      label: "Damaged",
      title: "The database is damaged",
      evidence: { before: "", words: integrity },
      remedy: "Stop plane-sync, and restore a backup, as docs/setup.md says."
    })
  ]
}

const sending = ({ health }: OverviewFacts): ReadonlyArray<FoundNeed> => {
  const { left, replicas, standby } = health
  const nobody = leaderless(health)
  return [
    ...(nobody.length === 0 ? [] : [
      found("leaderless", `No replica sends for ${nobody.join(" and ")}.`, {
        id: "leaderless",
        label: "No leader",
        count: nobody.length,
        title: `No replica sends for ${nobody.join(" and ")}`,
        remedy: `Another one goes on when the last one's lease is over, within seconds. If that does not happen, see ` +
          `whether the ${replicas.length === 1 ? "replica runs" : "replicas run"} with the same settings.`
      })
    ]),
    ...(standby === undefined ? [] : [
      found("standby", "Another process sends.", {
        id: "standby",
        label: "Standby",
        title: "Another process sends from this database",
        evidence: { before: "", words: standby },
        remedy: "Nothing, if that one is meant to. Otherwise stop it: this one takes its place."
      })
    ]),
    ...left.map((words, index) =>
      found("left", "A project is owed something, and is not set any more.", {
        id: `left:${index}`,
        label: "Project left",
        title: "A project is not set any more, and is owed something",
        evidence: { before: "", words },
        remedy: "Add the project to the settings again, and restart plane-sync: it is told then."
      })
    )
  ]
}

const giteaWords: Readonly<
  Record<GiteaError["reason"], (error: GiteaError) => Pick<Need, "label" | "title" | "remedy">>
> = {
  KeyRefused: ({ token }) => ({
    label: "Gitea's token",
    title: "Gitea refuses the token",
    remedy: `Make one in Gitea that may read repositories, set it as \`${token}\`, and restart plane-sync.`
  }),
  NotFound: ({ token }) => ({
    label: "Gitea's rights",
    title: "Gitea does not show a repository",
    remedy: `Let the user of \`${token}\` read the repository, or look whether it is gone.`
  }),
  Unreachable: () => ({
    label: "Gitea away",
    title: "Gitea does not answer",
    remedy: "See whether Gitea runs, and is reached from here. It is asked again by itself."
  }),
  Unanswered: () => ({
    label: "Gitea fails",
    title: "Gitea does not answer what is asked",
    remedy: "Look into Gitea's log. It is asked again by itself."
  })
}

const hearing = ({ health }: OverviewFacts): ReadonlyArray<FoundNeed> => {
  const [first] = health.gitea
  return [
    ...(first === undefined ? [] : [
      found("gitea", `${giteaWords[first.reason](first).title}.`, {
        id: `gitea:${first.reason}`,
        count: health.gitea.length,
        evidence: { before: "It says:", words: first.message },
        ...giteaWords[first.reason](first)
      })
    ]),
    ...refusedHooks(health).map(({ at, count, source, why }) => {
      const name = source === "plane" ? "Plane" : "Gitea"
      return found("refused", `Webhooks of ${name} are refused.`, {
        id: `refused:${source}`,
        label: "Webhooks refused",
        since: at,
        count,
        title: `Webhooks of ${name} are refused`,
        evidence: { before: "The last one:", words: why },
        remedy:
          `Give ${name}'s webhook the secret of \`${secretSetting[source]}\`. What was refused is not sent again by ` +
          `itself: ${
            source === "plane" ? "it is read in Plane by and by" : "Gitea is asked by and by, if a token is set"
          }.`
      })
    }),
    ...silentWorkspaces(health).map(({ page, since, workspace }) =>
      found("silent", `No webhook of Plane's workspace ${workspace} comes.`, {
        id: `silent:${workspace}`,
        label: "Webhooks silent",
        since,
        title: `No webhook of Plane's workspace ${workspace} comes`,
        evidence: { before: "", words: "None came after three states that were set, which Plane tells each" },
        remedy: "Switch it on in Plane, or let it reach plane-sync. Until then Plane is read every 5 minutes.",
        actions: [{ _tag: "Open", label: "Webhooks in Plane", url: page }]
      })
    )
  ]
}

/** What is the matter with the program itself, and with whom it hears. */
export const programNeeds = (facts: OverviewFacts): ReadonlyArray<FoundNeed> => [
  ...lost(facts),
  ...storage(facts),
  ...sending(facts),
  ...hearing(facts)
]
