import type { Answer } from "./Http.js"
import * as Http from "./Http.js"
import type { Traits } from "./Version.js"

/**
 * `GET /api/instances/`: what this installation is. It needs no token and is not throttled. Its version does not tell
 * what it can do: the preview still calls itself 1.3.1.
 */
export const answer = (method: string, traits: Traits): Answer =>
  method === "GET"
    ? Http.json(200, {
      config: {
        enable_signup: true,
        is_workspace_creation_disabled: false,
        is_google_enabled: false,
        is_github_enabled: false,
        is_gitlab_enabled: false,
        is_gitea_enabled: false,
        is_magic_login_enabled: false,
        is_email_password_enabled: true,
        github_app_name: "",
        slack_client_id: null,
        posthog_api_key: null,
        posthog_host: null,
        has_unsplash_configured: false,
        has_llm_configured: false,
        file_size_limit: Http.maxBodyBytes,
        is_smtp_configured: false,
        admin_base_url: null,
        space_base_url: null,
        app_base_url: "http://localhost",
        instance_changelog_url: "",
        is_self_managed: true
      },
      instance: {
        id: "4f0d9a36-7b52-4e18-a3c1-60d2f95b8e71",
        created_at: "2026-01-05T08:00:00.250000Z",
        updated_at: "2026-01-05T08:01:30.750000Z",
        deleted_at: null,
        instance_name: "Plane Community Edition",
        whitelist_emails: null,
        instance_id: "3f6c1b9e70d24a85b2c97e1d",
        current_version: traits.calledVersion,
        latest_version: traits.calledVersion,
        edition: "PLANE_COMMUNITY",
        domain: "",
        last_checked_at: "2026-01-05T08:00:00.125000Z",
        namespace: null,
        is_telemetry_enabled: true,
        is_support_required: true,
        is_setup_done: true,
        is_signup_screen_visited: true,
        is_verified: true,
        is_test: false,
        is_current_version_deprecated: false,
        created_by: null,
        updated_by: null,
        workspaces_exist: true
      }
    })
    : Http.noKey
