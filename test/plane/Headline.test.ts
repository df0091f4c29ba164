import { assert, describe, it } from "@effect/vitest"
import { headlineOf } from "../../src/plane/Headline.js"

const path = "/plane/api/v1/workspaces/ag_proj/projects/7a79f0a9-5278-49cd-9007-9a338f238f9c/"
const asked = { url: "http://plane.example.test/plane", path }
const redirect = (status: number, location: string) => ({ status, headers: { location }, body: "" })
const page = (status: number, body: string) => ({ status, headers: { "content-type": "text/html" }, body })

describe("row 49: what stands between us and Plane is named", () => {
  const rows: ReadonlyArray<readonly [ReturnType<typeof redirect | typeof page>, RegExp]> = [
    [
      redirect(301, `https://plane.example.test${path}`),
      /^Plane's API has another address: set ORCH_PLANE_API_URL to https:\/\/plane\.example\.test\/plane$/
    ],
    [
      redirect(308, `https://new.example.test:8443${path}`),
      /set ORCH_PLANE_API_URL to https:\/\/new\.example\.test:8443\/plane$/
    ],
    [
      redirect(307, "/other/api/v1/workspaces/"),
      /set ORCH_PLANE_API_URL to http:\/\/plane\.example\.test\/other$/
    ],
    [redirect(301, "https://elsewhere.example.test/"), /set ORCH_PLANE_API_URL to https:\/\/elsewhere\.example\.test$/],
    [redirect(302, "/login?next=/api/v1/"), /^a sign-in page stands before Plane's API.*ORCH_PLANE_API_URL/],
    [redirect(307, "https://sso.example.test/oauth2/start"), /^a sign-in page stands before Plane's API/],
    [redirect(301, path), /^Plane's API is not at this address, which redirects: check ORCH_PLANE_API_URL/],
    [redirect(302, "javascript:alert(1)"), /^Plane's API is not at this address/],
    [redirect(302, ""), /^Plane's API is not at this address/],
    [
      page(200, "<!doctype html><title>Sign in</title><form><input type=password></form>"),
      /^a sign-in page stands before Plane's API/
    ],
    [page(403, "<html><body><h1>Log in to continue</h1>"), /^a sign-in page stands before Plane's API/],
    [page(200, "<!doctype html><div id=root></div>"), /^a web page answers instead of Plane's API.*ORCH_PLANE_API_URL/],
    [page(404, "<html><center><h1>404 Not Found</h1></center>nginx"), /^a web page answers instead of Plane's API/],
    [
      page(400, "<center>The plain HTTP request was sent to HTTPS port</center>"),
      /^this port speaks https: set ORCH_PLANE_API_URL to https:\/\/plane\.example\.test/
    ],
    [page(502, "<html><h1>502 Bad Gateway</h1>"), /^the proxy in front of Plane gets no answer from Plane/],
    [page(413, "<html><h1>413 Request Entity Too Large</h1>"), /takes no request as large/]
  ]
  it.each(rows)("%j", (answer, expected) => {
    assert.match(headlineOf(answer, asked) ?? "", expected)
  })

  it("Plane's own answers have none", () => {
    for (const body of [`{"error":"Page not found."}`, `{"detail":"<b>login</b>"}`, "", "Gateway Timeout"]) {
      assert.isUndefined(headlineOf({ status: 404, headers: { "content-type": "application/json" }, body }, asked))
    }
  })
})
