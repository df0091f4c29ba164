import { assert, describe, it } from "@effect/vitest"
import { Redacted } from "effect"
import { guard } from "../../src/http/Guard.js"

const on = (host: string) => {
  const why = guard({ host, port: 8500, apiToken: Redacted.make(""), operatorToken: Redacted.make("") })
  return (given: string | undefined, origin?: string) => why({ host: given, origin })
}

describe("guard", () => {
  it("takes this machine's names on loopback, with any port", () => {
    const why = on("127.0.0.1")
    for (const host of ["localhost", "localhost:8500", "127.0.0.1:8500", "127.0.0.2", "[::1]:8500", "LOCALHOST"]) {
      assert.isUndefined(why(host), host)
    }
    for (
      const host of ["evil.example", "localhost.evil.example:8500", "127.0.0.1.evil.example", "", undefined, "a b"]
    ) {
      assert.isString(why(host), host)
    }
  })

  it("takes any name elsewhere, where a token is needed", () => {
    assert.isUndefined(on("0.0.0.0")("orchestrator.lan:8500"))
    assert.isUndefined(on("orchestrator.lan")("orchestrator.lan"))
  })

  it("takes no origin but the server's own", () => {
    for (const host of ["127.0.0.1", "0.0.0.0"]) {
      const why = on(host)
      assert.isUndefined(why("localhost:8500", "http://localhost:8500"))
      for (const origin of ["http://evil.example", "http://localhost:3000", "null", "http://localhost", ""]) {
        assert.isString(why("localhost:8500", origin), origin)
      }
    }
  })
})
