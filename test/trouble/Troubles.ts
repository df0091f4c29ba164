import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import Database from "better-sqlite3"
import { Effect } from "effect"
import { mkdirSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { selfSigned } from "../doctor/Certificate.js"
import { listening } from "../doctor/Planes.js"
import { byBallast, mountSmall } from "../faults/Disk.js"
import { post, request } from "../http/Server.js"
import { fixture } from "../webhooks/Fixtures.js"
import { deliver, signature } from "../webhooks/Sender.js"
import type { Trouble } from "./Trouble.js"

const set = (settings: Readonly<Record<string, string>>) => () => Effect.succeed(settings)

const secret = "plane_wh_of_docs_trouble"

/** A pull request, after which Gitea is asked. */
const pullRequest = (url: string) => {
  const body = fixture("gitea/pull_request_opened")
  return Effect.orDie(
    deliver(url, "gitea", body, { event: "pull_request", signature: signature("gitea", body, secret) })
  )
}

/** Everything that docs/trouble.md tells of, in its order. */
export const troubles: ReadonlyArray<Trouble> = [
  {
    name: "A setting is wrong",
    broken: set({ ORCH_PLANE_RATE_LIMIT: "many" })
  },
  {
    name: "The API token still has its quotes",
    broken: ({ plane }) => Effect.succeed({ ORCH_PLANE_API_TOKEN: `"${plane.token}"` })
  },
  {
    name: "The API token is not set",
    broken: set({ ORCH_PLANE_API_TOKEN: "" })
  },
  {
    name: "The API token is wrong, or was revoked",
    broken: ({ plane }) => Effect.as(plane.revokeToken, {})
  },
  {
    name: "The API token's user is a guest",
    broken: ({ plane }) => Effect.as(plane.setRole("guest"), {})
  },
  {
    name: "The API token's user is not in the project",
    broken: ({ plane }) => Effect.as(plane.leaveProject(), {})
  },
  {
    name: "Plane is down",
    broken: ({ cut }) => Effect.as(cut, {})
  },
  {
    name: "A sign-in page stands before Plane",
    broken: () =>
      Effect.map(
        listening((_, response) =>
          response.writeHead(200, { "content-type": "text/html" }).end("<html><input type=\"password\"></html>")
        ),
        (host) => ({ ORCH_PLANE_API_URL: `http://${host}` })
      )
  },
  {
    name: "Plane's certificate has expired",
    broken: () =>
      Effect.map(
        listening((_, response) => response.end(), selfSigned(new Date("2021-01-01"))),
        (host) => ({ ORCH_PLANE_API_URL: `https://${host}` })
      )
  },
  {
    name: "Plane's certificate is of an authority of one's own",
    broken: () =>
      Effect.map(
        listening((_, response) => response.end(), selfSigned(new Date("2100-01-01"))),
        (host) => ({ ORCH_PLANE_API_URL: `https://${host}` })
      )
  },
  {
    name: "The workspace is another one",
    broken: set({ ORCH_PLANE_WORKSPACE_SLUG: "elsewhere" })
  },
  {
    name: "The project's identifier is another one",
    broken: set({ ORCH_PLANE_PROJECT_IDENTIFIER: "XX" }),
    workItem: "XX-1"
  },
  {
    name: "The project is archived",
    broken: ({ plane }) => Effect.as(plane.archiveProject(), {})
  },
  {
    name: "The stage table names a state that is not there",
    broken: set({ ORCH_PLANE_STAGE_STATES: `{"done":"00000000-0000-4000-8000-000000000000"}` })
  },
  {
    name: "Others use up the rate limit",
    broken: ({ plane: { token, url } }) =>
      Effect.as(
        Effect.repeatN(request(`${url}/api/v1/users/me/`, { headers: { "x-api-key": token } }), 59),
        {}
      )
  },
  {
    name: "The work item is not there",
    broken: set({ ORCH_PLANE_KEY_PATIENCE: "0 seconds" }),
    workItem: "ET-404"
  },
  {
    name: "Plane signs its webhooks with another secret",
    broken: set({ ORCH_PLANE_WEBHOOK_SECRET: secret }),
    later: (url) => {
      const body = JSON.stringify({ event: "project", action: "updated" })
      return Effect.orDie(deliver(url, "plane", body, { signature: signature("plane", body, "plane_wh_other") }))
    }
  },
  {
    name: "No webhook of Plane comes",
    broken: set({ ORCH_PLANE_WEBHOOK_SECRET: secret })
  },
  {
    name: "Gitea refuses its token",
    broken: ({ gitea: { url } }) =>
      Effect.succeed({ ORCH_GITEA_URL: url, ORCH_GITEA_TOKEN: "wrong", ORCH_GITEA_WEBHOOK_SECRET: secret }),
    later: pullRequest
  },
  {
    name: "Gitea is down",
    broken: set({
      ORCH_GITEA_URL: "http://127.0.0.1:1",
      ORCH_GITEA_TOKEN: "any",
      ORCH_GITEA_WEBHOOK_SECRET: secret
    }),
    later: pullRequest
  },
  {
    name: "The program that starts agents is not there",
    broken: set({ ORCH_AGENT_COMMAND: "/usr/local/bin/no-such-agent" })
  },
  {
    name: "The database is of another program",
    broken: ({ database }) =>
      Effect.sync(() => {
        mkdirSync(dirname(database))
        const file = new Database(database)
        file.exec("CREATE TABLE customers (id INTEGER)")
        file.close()
        return {}
      })
  },
  {
    name: "The database file is empty",
    broken: ({ database }) =>
      Effect.sync(() => {
        mkdirSync(dirname(database))
        writeFileSync(database, "")
        return {}
      })
  },
  {
    name: "The disk is full",
    broken: ({ database }) => {
      mkdirSync(dirname(database))
      return Effect.map(mountSmall(dirname(database)), (isMounted) => isMounted ? {} : undefined)
    },
    later: (url, { database }) =>
      Effect.gen(function*() {
        yield* Effect.sleep("1 second")
        yield* (yield* byBallast(dirname(database))).fill
        return yield* post(url, JSON.stringify({ type: "task_completed", workItem: "ET-1" }))
      }).pipe(Effect.provide(NodeFileSystem.layer))
  },
  {
    name: "Nobody sends",
    broken: set({}),
    alone: true
  }
]
