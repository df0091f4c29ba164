import type { Fields } from "../base/JsonFields.js"
import { carriesFacts } from "./GiteaHook.js"
import type { Source } from "./WebhookConfig.js"

/**
 * What `PlaneHook.ts` reads. Of the values of what was changed only the beginning: they may be descriptions.
 */
const planeFields: Fields = {
  event: "whole",
  action: "whole",
  version: "whole",
  entity_type: "whole",
  activity: {
    field: "whole",
    new_value: ["beginning"],
    old_value: ["beginning"],
    actor: { id: "whole", display_name: "whole" }
  },
  previous_attributes: { state: "whole", state_id: "whole" },
  data: {
    id: "whole",
    sequence_id: "whole",
    // Plane's own limit is 255 characters.
    name: "beginning",
    project: "whole",
    project_id: "whole",
    state: { id: "whole", name: "whole", group: "whole" },
    state_id: "whole",
    labels: [{ id: "whole", name: "whole" }],
    assignees: [{ id: "whole", email: "whole" }],
    updated_at: "whole",
    external_source: "whole",
    issue: "whole",
    created_at: "whole",
    updated_by: "whole",
    edited_at: "whole",
    // Only its beginning is read as a command: people/CommentText.ts.
    comment_html: "beginning"
  }
}

const repository: Fields = { id: "whole", full_name: "whole", default_branch: "whole" }

const sender: Fields = { login: "whole" }

/** What `GiteaHook.ts` reads of the events that carry facts. */
const factFields: Fields = {
  action: "whole",
  repository,
  sender,
  pull_request: {
    number: "whole",
    title: "whole",
    // Only its beginning is read as Markdown, too: gitea/Prose.ts.
    body: "beginning",
    state: "whole",
    html_url: "whole",
    merged: "whole",
    merged_at: "whole",
    draft: "whole",
    user: { login: "whole" },
    base: { ref: "whole" },
    head: { label: "whole", ref: "whole", sha: "whole", repo_id: "whole" },
    created_at: "whole",
    updated_at: "whole"
  },
  review: { type: "whole", content: "beginning" },
  id: "whole",
  sha: "whole",
  context: "whole",
  state: "whole",
  description: "beginning",
  target_url: "whole"
}

/** What `GiteaHook.ts` reads of all others. */
const stirFields: Fields = { repository, run: { repository } }

/**
 * All that is read of a sender's bodies, and so all that is kept of a large one. A test compares what is decoded of the
 * whole bodies with what is decoded of these fields alone.
 */
export const fieldsOf = (source: Source, event: string): Fields =>
  source === "plane" ? planeFields : carriesFacts(event) ? factFields : stirFields
