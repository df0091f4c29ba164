import type { JSX } from "preact"
import { At } from "./Text.js"
import type { Condition as Project, Overview } from "./Wire.js"
import { ago, duration, moment, number, until } from "./Words.js"

/** Without the request in brackets: that stands in what needs a person. */
const briefly = (reason: string | null) => reason?.replace(/ \([^()]*\)$/, "")

const State = ({ now, project }: { readonly project: Project; readonly now: number }): JSX.Element => {
  switch (project.state) {
    case "open":
      return (
        <>
          Plane is <b>open</b>
          {project.lastToldAt === null ? null : `, last told ${ago(project.lastToldAt, now)}`}
        </>
      )
    case "closed":
      return (
        <>
          Plane is <b class="bad">closed</b>
          {project.since === null ? null : (
            <>
              {" "}since <At iso={project.since} now={now} />
            </>
          )}
          <small>
            {briefly(project.reason)}
            {project.nextProbeAt === null ? null : `; next probe ${until(project.nextProbeAt, now)}`}
          </small>
        </>
      )
    case "elsewhere":
      return <>Another replica sends, and knows</>
  }
}

const Budget = ({ now, project }: { readonly project: Project; readonly now: number }): JSX.Element => {
  const { limit, nextFreeAt, used, waiting } = project.budget
  const words = `${number(used)} of ${number(limit)} requests used`
  const isFull = nextFreeAt !== null && Date.parse(nextFreeAt) > now
  return (
    <>
      <progress
        max={Math.max(1, limit)}
        value={Math.min(used, limit)}
        aria-label={`Budget of ${project.project}: ${words}`}
      />
      <small>
        {words}
        {isFull ? `; next slot ${until(nextFreeAt, now)}` : `, ${number(Math.max(0, limit - used))} free`}
        {waiting === 0 ? null : `; ${number(waiting)} wait for a slot`}
      </small>
    </>
  )
}

const names = { plane: "Plane", gitea: "Gitea" }

const Heard = ({ now, overview: { heard } }: { readonly overview: Overview; readonly now: number }): JSX.Element => {
  const refused = heard.flatMap(({ lastAccepted, lastRefused, source }) =>
    lastRefused !== null && (lastAccepted === null || lastRefused.at > lastAccepted)
      ? [{ source, ...lastRefused }]
      : []
  )
  return (
    <>
      {heard.length === 0
        ? (
          <>
            No webhooks<small>no secret is set for any</small>
          </>
        )
        : heard.map(({ lastAccepted, source }) =>
          `${names[source]} ${lastAccepted === null ? "not yet" : ago(lastAccepted, now)}`
        ).join(", ")}
      {refused.map(({ at, source, why }) => (
        <small key={source} class="wait">{names[source]} was refused at {moment(at, now)}: {why}</small>
      ))}
    </>
  )
}

/** Whether Plane takes what is said, for each project, and how much is owed. */
export const Condition = ({ now, overview }: { readonly overview: Overview; readonly now: number }): JSX.Element => (
  <section class="panel condition" aria-labelledby="h-condition">
    <h2 id="h-condition">Condition</h2>
    <dl class="numbers">
      <div>
        <dt>owed</dt>
        <dd>{number(overview.owed)}</dd>
      </div>
      <div>
        <dt>dead</dt>
        <dd>{number(overview.dead)}</dd>
      </div>
      <div>
        <dt>oldest</dt>
        <dd>{overview.owed === 0 ? "–" : duration(overview.oldestSeconds)}</dd>
      </div>
    </dl>
    <dl class="rows">
      {overview.projects.map((project) => (
        <div class="row" key={project.project}>
          <dt>{project.project}</dt>
          <dd>
            <State {...{ now, project }} />
            {project.state === "elsewhere" ? null : <Budget {...{ now, project }} />}
          </dd>
        </div>
      ))}
      <div class="row">
        <dt>Heard</dt>
        <dd>
          <Heard {...{ now, overview }} />
        </dd>
      </div>
    </dl>
  </section>
)
