import { Array as Arr, Option } from "effect"
import { counted } from "../base/Text.js"
import type { SettingNames } from "../domain/Project.js"
import type { ClosedProjects } from "../health/Judge.js"
import { closedProjects } from "../health/Judge.js"
import type { PlaneError, PlaneErrorReason } from "../plane/PlaneError.js"
import { awaited } from "../sending/Destination.js"
import type { FoundNeed } from "./Kinds.js"
import type { OverviewFacts } from "./OverviewFacts.js"
import type { NeedAction } from "./OverviewView.js"

/** What is said of a cause for which Plane is closed. */
interface Cause {
  readonly label: string
  /** Goes after "Plane is closed:". */
  readonly because: string
  readonly title: string
  readonly remedy: string
}

interface About {
  /** The projects: "ET", "ET and DOC". */
  readonly where: string
  /** Where Plane is. */
  readonly url: string
  readonly names: SettingNames | undefined
}

const orAny = (name: string | undefined, other: string) => `\`${name ?? other}\``

const token = ({ names }: About) => orAny(names?.apiToken, "ORCH_PLANE_API_TOKEN")

const away = ({ url }: About): Cause => ({
  label: "Plane away",
  because: "it gives no answer that can be used",
  title: "Plane does not answer",
  remedy: `See whether Plane runs, and is reached from here at ${url}. It is asked again by itself.`
})

const wrongAddress = ({ names, where }: About): Cause => ({
  label: "Wrong address",
  because: `it does not find the project of ${where}`,
  title: `Plane's API is not there, or has no project ${where}`,
  remedy: `Compare \`ORCH_PLANE_API_URL\`, ${orAny(names?.workspace, "ORCH_PLANE_WORKSPACE_SLUG")} and ` +
    `${
      Option.match(Option.fromNullable(names?.id ?? names?.identifier), {
        onNone: () => "the project",
        onSome: (name) => `\`${name}\``
      })
    } with Plane's own addresses, and restart plane-sync. ` +
    "`plane-sync doctor` says which is wrong."
})

const causes: Readonly<Record<PlaneErrorReason, (about: About) => Cause>> = {
  Unavailable: away,
  Ignored: away,
  Refused: away,
  KeyRefused: (about) => ({
    label: "Key refused",
    because: `it refuses the key of ${about.where}`,
    title: `Plane does not take the key of ${about.where}`,
    remedy: `Make a new key in Plane, at Profile settings → Personal access tokens, set it as ${token(about)}, and ` +
      "restart."
  }),
  PermissionDenied: (about) => ({
    label: "May not write",
    because: `the key's user may not write to ${about.where}`,
    title: `The key's user may not write to ${about.where}`,
    remedy: `Make the user a member of the project, or set the key of one who is as ${token(about)}, ` +
      "and restart plane-sync."
  }),
  RateLimited: (about) => ({
    label: "Rate limit",
    because: "its rate limit is used up by others",
    title: `The rate limit of the key of ${about.where} is used up`,
    remedy: `Something else uses the same key: give plane-sync one of its own as ${token(about)}, ` +
      "and restart plane-sync."
  }),
  Archived: ({ where }) => ({
    label: "Archived",
    because: `the project ${where} is archived`,
    title: `The project ${where} is archived in Plane`,
    remedy: "Restore the project in Plane, or take it out of the settings and restart plane-sync."
  }),
  NotFound: wrongAddress,
  WrongAddress: wrongAddress
}

const noToken = (about: About): Cause => ({
  label: "No key",
  because: `no key is set for ${about.where}`,
  title: `No key is set for ${about.where}`,
  remedy: `Make a key in Plane, at Profile settings → Personal access tokens, set it as ${token(about)}, ` +
    "and restart plane-sync."
})

/** What Plane said, as people know answers of HTTP. */
const wordsOf = ({ status, words }: PlaneError): string =>
  [...Option.toArray(Option.map(status, String)), ...(words === "" ? [] : [words])].join(" ")

const listed = (names: ReadonlyArray<string>) => names.join(" and ")

const probe: NeedAction = { _tag: "Probe", label: "Probe now" }

/** What a person does for the projects that are closed for one reason. */
const needOf =
  ({ health: { outbox: { pending } }, settings }: OverviewFacts) =>
  ({ destination, identifiers, since }: ClosedProjects): FoundNeed => {
    const [first] = identifiers
    const url = settings.workspaceUrl(first)
    const about: About = {
      where: listed(identifiers),
      url: settings.planeUrl,
      names: settings.named(first)?.names
    }
    const cause = Option.match(destination.error, {
      onNone: () => noToken(about),
      onSome: ({ reason }) => causes[reason](about)
    })
    const words = Option.match(destination.error, { onNone: () => "", onSome: wordsOf })
    const owed = pending === 0 ? "" : ` ${counted(pending, "event waits", "events wait")}, on disk.`
    return {
      kind: "closed",
      sentence: `Plane is closed: ${cause.because}.`,
      need: {
        id: `closed:${identifiers.join(",")}`,
        label: cause.label,
        since,
        count: identifiers.length,
        workItem: null,
        title: cause.title,
        evidence: words === "" ? null : { before: "It says:", words },
        remedy: `${cause.remedy}${owed}`,
        actions: Option.isNone(destination.error)
          ? [{ _tag: "Open", label: "Open Plane", url }]
          : [{ _tag: "Open", label: "Open Plane", url }, probe]
      }
    }
  }

/** That Plane was not looked at yet is over in seconds, by itself. */
const isAwaited = ({ destination: { reason } }: ClosedProjects) => reason === awaited

/** Whether Plane's first answer is awaited for all that is sent. */
export const isFirstLook = (facts: Pick<OverviewFacts, "health">): boolean => {
  const closed = closedProjects(facts.health)
  return closed.length > 0 && closed.every(isAwaited)
}

/** The projects whose table does not fit. */
const misfits = ({ health: { projects }, settings }: OverviewFacts): ReadonlyArray<FoundNeed> =>
  projects.flatMap(({ identifier, misfit }) =>
    Option.toArray(misfit).map((words): FoundNeed => ({
      kind: "misfit",
      sentence: `The stage table of ${identifier} does not fit its states in Plane.`,
      need: {
        id: `misfit:${identifier}`,
        label: "Stage table",
        since: null,
        count: 1,
        workItem: null,
        title: `The stage table of ${identifier} does not fit`,
        evidence: { before: "", words },
        remedy: `Name states that ${identifier} has in ${
          orAny(settings.named(identifier)?.names.states, "ORCH_PLANE_STAGE_STATES")
        }, and restart plane-sync.`,
        actions: [{
          _tag: "Open",
          label: "Open Plane",
          url: settings.workspaceUrl(identifier)
        }]
      }
    }))
  )

/** What is the matter with Plane. */
export const planeNeeds = (facts: OverviewFacts): ReadonlyArray<FoundNeed> => [
  ...Arr.filter(closedProjects(facts.health), (closed) => !isAwaited(closed)).map(needOf(facts)),
  ...misfits(facts)
]
