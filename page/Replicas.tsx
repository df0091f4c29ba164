import type { JSX } from "preact"
import { At } from "./Text.js"
import type { Overview } from "./Wire.js"
import { ago, number } from "./Words.js"

/** The processes on one Postgres. With one alone there is nothing to tell. */
export const Replicas = ({ now, overview: { replicas } }: {
  readonly overview: Overview
  readonly now: number
}): JSX.Element | null =>
  replicas.length < 2 ? null : (
    <section id="replicas" aria-labelledby="h-replicas">
      <div class="section-head">
        <h2 id="h-replicas" tabIndex={-1}>
          Replicas <span class="count">{number(replicas.length)} on one Postgres; each project is sent for by one</span>
        </h2>
      </div>
      <div class="panel">
        <table class="rows">
          <thead>
            <tr>
              <th>Replica</th>
              <th>Leads</th>
              <th>Up since</th>
              <th class="end">Seen</th>
            </tr>
          </thead>
          <tbody>
            {replicas.map(({ alive, host, leads, lastSeen, main, pid, since }) => (
              <tr key={`${host} ${pid} ${since}`}>
                <td>
                  <b>{host}</b> <span class="muted">process {pid}</span>
                </td>
                <td>
                  {leads.length === 0
                    ? <span class="muted">nothing; takes over when a leader ends</span>
                    : leads.join(", ")}
                  {main ? <span class="muted">; works on webhooks</span> : null}
                </td>
                <td class="opt">
                  <At iso={since} now={now} />
                </td>
                <td class="end">{alive ? ago(lastSeen, now) : <b class="bad">not seen for {ago(lastSeen, now)}</b>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
