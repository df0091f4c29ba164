import { Schema } from "effect"
import { PlaneCommentId, PlaneItemId, PlaneLinkId } from "../domain/Ids.js"
import { PlaneMomentText } from "../domain/PlaneMoment.js"
import { PlaneStateId } from "../domain/StageStates.js"

/**
 * What is asked for of a work item: the whole one is as large as its description. The expanded state tells its group,
 * which a PATCH's answer does not.
 */
export const workItemQuery = { fields: "id,sequence_id,name,state,updated_at,project", expand: "state" }

/** The same with who is assigned. */
export const assignedQuery = { ...workItemQuery, fields: `${workItemQuery.fields},assignees` }

const State = Schema.Struct({ id: PlaneStateId, group: Schema.String, name: Schema.optional(Schema.String) })

const WorkItem = Schema.Struct({
  id: PlaneItemId,
  sequence_id: Schema.Int,
  name: Schema.String,
  state: Schema.NullOr(Schema.Union(PlaneStateId, State)),
  updated_at: PlaneMomentText,
  project: Schema.String,
  // Whose change the last one was. A PATCH answers it, and so tells whose API token it is.
  updated_by: Schema.optional(Schema.NullOr(Schema.String)),
  // Where it was asked for; a PATCH answers them always.
  assignees: Schema.optional(Schema.Array(Schema.String)),
  // Where it was asked for.
  created_at: Schema.optional(PlaneMomentText)
})

// Each is one schema from the answer's text on: one that is made anew for every answer is compiled for every answer.

/** A work item as Plane's API answers it. */
export const WorkItemJson = Schema.parseJson(WorkItem)

/** A page of work items. `next_cursor` is always there: the end is `next_page_results: false`. */
export const WorkItemsJson = Schema.parseJson(
  Schema.Struct({
    results: Schema.Array(WorkItem),
    next_page_results: Schema.Boolean,
    next_cursor: Schema.optional(Schema.NullOr(Schema.String))
  })
)

/** What the search answers. It has no state, and results of other projects where the scope is ignored. */
export const SearchJson = Schema.parseJson(Schema.Struct({
  issues: Schema.Array(
    Schema.Struct({
      id: PlaneItemId,
      name: Schema.String,
      sequence_id: Schema.Int,
      project_id: Schema.String
    })
  )
}))

const Comment = Schema.Struct({ id: PlaneCommentId })

const Text = Schema.optional(Schema.NullOr(Schema.String))

/**
 * A comment that was made or edited; of an edited one only the id is looked at. `actor`: the user whose API token it
 * was made with.
 */
export const CommentJson = Schema.parseJson(
  Schema.Struct({ ...Comment.fields, issue: Text, external_id: Text, actor: Text })
)

const CommentRead = Schema.Struct({
  ...Comment.fields,
  comment_html: Schema.String,
  external_source: Text,
  external_id: Text
})

/** What a comment that is there says. */
export const CommentReadJson = Schema.parseJson(CommentRead)

/** A page of comments with who has made them, and who has edited them last. */
export const SignedCommentsJson = Schema.parseJson(Schema.Struct({
  results: Schema.Array(Schema.Struct({
    ...CommentRead.fields,
    actor: Schema.optional(Schema.NullOr(Schema.String)),
    updated_by: Schema.optional(Schema.NullOr(Schema.String)),
    created_at: Schema.optional(PlaneMomentText),
    edited_at: Text
  }))
}))

/** A page of what was done to a work item. Of a change of its state the identifiers are those of the states. */
export const ActivitiesJson = Schema.parseJson(Schema.Struct({
  results: Schema.Array(Schema.Struct({
    field: Schema.NullOr(Schema.String),
    new_identifier: Schema.NullOr(Schema.String),
    old_identifier: Schema.optional(Schema.NullOr(Schema.String)),
    actor: Schema.NullOr(Schema.String),
    epoch: Schema.optional(Schema.NullOr(Schema.Number)),
    created_at: PlaneMomentText
  }))
}))

const PlaneLink = Schema.Struct({ id: PlaneLinkId, url: Schema.String, issue: Text })

/** A link that was made. */
export const LinkJson = Schema.parseJson(PlaneLink)

/** A page of links, newest first. */
export const LinksJson = Schema.parseJson(Schema.Struct({ results: Schema.Array(PlaneLink) }))

/** A page of comments, newest first. */
export const CommentsJson = Schema.parseJson(Schema.Struct({ results: Schema.Array(CommentRead) }))

/**
 * A 409's: the pair of source and external id is there, with the comment that has it. Should the answer not name that,
 * its words tell it from every other conflict.
 */
export const TakenJson = Schema.parseJson(
  Schema.Union(Comment, Schema.Struct({ error: Schema.String.pipe(Schema.pattern(/same external id/i)) }))
)

/** Who is in a project: a bare list, without pages. */
export const MembersJson = Schema.parseJson(Schema.Array(Schema.Struct({
  id: Schema.String,
  email: Schema.optionalWith(Schema.String, { nullable: true, default: () => "" }),
  display_name: Schema.optionalWith(Schema.String, { nullable: true, default: () => "" })
})))

/** A state of a project; `group` is one of backlog, unstarted, started, completed, cancelled. */
const ListedState = Schema.Struct({
  id: PlaneStateId,
  name: Schema.String,
  group: Schema.String,
  sequence: Schema.optionalWith(Schema.Number, { default: () => 0 })
})

/** A page of states. `next_cursor` is always there: the end is `next_page_results: false`. */
export const StatesJson = Schema.parseJson(Schema.Struct({
  results: Schema.Array(ListedState),
  next_page_results: Schema.Boolean,
  next_cursor: Schema.String
}))

// Whether the API token's user may write to a project. Not every version tells.
const permission = {
  is_member: Schema.optional(Schema.NullOr(Schema.Boolean)),
  member_role: Schema.optional(Schema.NullOr(Schema.Number)),
  archived_at: Schema.optional(Schema.NullOr(Schema.String))
}

const ListedProject = Schema.Struct({
  id: Schema.String,
  identifier: Schema.String,
  name: Schema.String,
  ...permission
})

/** A page of projects, or all of them: versions differ. */
export const ProjectsJson = Schema.parseJson(
  Schema.Union(
    Schema.Struct({
      results: Schema.Array(ListedProject),
      next_page_results: Schema.optional(Schema.Boolean),
      next_cursor: Schema.optional(Schema.NullOr(Schema.String))
    }),
    Schema.transform(
      Schema.Array(ListedProject),
      Schema.typeSchema(Schema.Struct({ results: Schema.Array(ListedProject) })),
      {
        strict: true,
        decode: (results) => ({ results }),
        encode: ({ results }) => results
      }
    )
  )
)

/** The answer to the harmless request that only asks whether Plane is there. */
export const ProbeJson = Schema.parseJson(Schema.Struct({
  id: Schema.String,
  identifier: Schema.String,
  // Every member of the workspace is answered 200.
  ...permission
}))

/** What the installation says of itself. */
export const InstanceJson = Schema.parseJson(
  Schema.Struct({
    instance: Schema.Struct({
      current_version: Schema.String,
      edition: Schema.optionalWith(Schema.String, { nullable: true, default: () => "" })
    })
  })
)
