import * as Model from "./Model.js"
import type { Traits } from "./Version.js"

/** The API tokens, by their owners. They are no secrets, because they open nothing but a simulator. */
export const tokens = {
  bot: "plane_api_simulator_bot_8c1f4e0d2b7a",
  owner: "plane_api_simulator_owner_41d7b3c9e6f0",
  guest: "plane_api_simulator_guest_97a0e25c1d48",
  outsider: "plane_api_simulator_outsider_5e3b8f6d0c21",
  /** The bot's, with five times the rate limit. */
  service: "plane_api_simulator_service_c4d2719a0e5b",
  /** Of a user who was deactivated. It is valid before 1.4, and opens nothing but `users/me/`. */
  deactivated: "plane_api_simulator_deactivated_6d2e90b7f3a4",
  /** Never valid. */
  revoked: "plane_api_simulator_revoked_0f6a3e9d8b17"
} as const

export interface Keyring {
  readonly userOf: (token: string) => Model.User | undefined
  readonly revoke: (token: string) => void
  readonly restore: (token: string) => void
  /** What the user is in the project. Undefined if it is not a member. */
  readonly roleIn: (user: Model.User, projectId: string) => Model.ProjectRole | undefined
  /** Takes the bot out of a project, or back in. */
  readonly setMember: (projectId: string, member: boolean) => void
  /** Sets what the bot is in a project, now or once it is taken back in. */
  readonly setRole: (projectId: string, role: Model.ProjectRole) => void
}

/** Plane gives service tokens 300 requests a minute where others have 60. */
export const limitOf = (token: string, limit: number): number => token === tokens.service ? limit * 5 : limit

export const make = (traits: Traits): Keyring => {
  const holders = new Map<string, Model.User>([
    [tokens.bot, Model.bot],
    [tokens.owner, Model.owner],
    [tokens.guest, Model.guest],
    [tokens.outsider, Model.outsider],
    [tokens.service, Model.bot],
    ...(traits.keepsDeactivated ? [[tokens.deactivated, Model.deactivated] as const] : [])
  ])
  const revoked = new Set<string>()
  const closed = new Set<string>()
  const botRoles = new Map<string, Model.ProjectRole>()
  return {
    userOf: (token) => revoked.has(token) ? undefined : holders.get(token),
    revoke: (token) => {
      revoked.add(token)
    },
    restore: (token) => {
      revoked.delete(token)
    },
    roleIn: (user, projectId) => {
      if (user.role === "outsider") return undefined
      if (user !== Model.bot) return user.role
      return closed.has(projectId) ? undefined : botRoles.get(projectId) ?? user.role
    },
    setMember: (projectId, member) => {
      if (member) closed.delete(projectId)
      else closed.add(projectId)
    },
    setRole: (projectId, role) => {
      botRoles.set(projectId, role)
    }
  }
}
