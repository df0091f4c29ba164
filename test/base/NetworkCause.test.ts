import { assert, describe, it } from "@effect/vitest"
import { networkCause } from "../../src/base/NetworkCause.js"

const at = (url: string) => ({ url, setting: "ORCH_PLANE_API_URL" })
const https = at("https://plane.example.test/api/v1/")
const http = at("http://plane.example.test:8091/api/v1/")

const error = (fields: object) => Object.assign(new Error("words of OpenSSL"), fields)

describe("row 49: what kept a request from its server is said in plain words", () => {
  const rows: ReadonlyArray<readonly [object, typeof https, RegExp]> = [
    [
      { code: "ECONNREFUSED", address: "127.0.0.1", port: 8091 },
      http,
      /^nothing listens at 127\.0\.0\.1:8091: check ORCH_/
    ],
    [{ code: "ECONNREFUSED" }, http, /^nothing listens at plane\.example\.test:8091: check ORCH_/],
    [
      { code: "ENOTFOUND", hostname: "plane.example.test" },
      https,
      /^the name plane\.example\.test is not known \(DNS\): check/
    ],
    [{ code: "EAI_AGAIN" }, https, /^DNS does not say where plane\.example\.test is: check/],
    [{ code: "EHOSTUNREACH", syscall: "connect" }, https, /^no way leads to plane\.example\.test: check/],
    [{ code: "DEPTH_ZERO_SELF_SIGNED_CERT" }, https, /authority that this machine does not know.*NODE_EXTRA_CA_CERTS/],
    [{ code: "SELF_SIGNED_CERT_IN_CHAIN" }, https, /NODE_EXTRA_CA_CERTS/],
    [{ code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" }, https, /NODE_EXTRA_CA_CERTS/],
    [{ code: "UNABLE_TO_GET_ISSUER_CERT_LOCALLY" }, https, /NODE_EXTRA_CA_CERTS/],
    [{ code: "CERT_HAS_EXPIRED" }, https, /^the certificate of plane\.example\.test has expired/],
    [{ code: "CERT_NOT_YET_VALID" }, https, /^the certificate .* is not valid yet/],
    [
      { code: "ERR_TLS_CERT_ALTNAME_INVALID" },
      https,
      /^the certificate is for another name than plane\.example\.test: check ORCH_PLANE_API_URL/
    ],
    [
      { code: "ERR_SSL_WRONG_VERSION_NUMBER" },
      https,
      /^this port speaks plain http: set ORCH_PLANE_API_URL to http:\/\/plane\.example\.test$/
    ],
    [
      { code: "ERR_SSL_PACKET_LENGTH_TOO_LONG" },
      https,
      /^this port speaks plain http: set ORCH_PLANE_API_URL to http:/
    ],
    [
      { data: "\u0015\u0003\u0001" },
      http,
      /^this port speaks https: set ORCH_PLANE_API_URL to https:\/\/plane\.example\.test:8091$/
    ],
    [{ code: "UND_ERR_SOCKET" }, http, /^the connection was closed before an answer came.*expects https: check ORCH_/],
    [
      { message: "Proxy response (407) !== 200 when HTTP Tunneling" },
      https,
      /^the proxy does not let plane-sync through to plane\.example\.test \(407\): check HTTPS_PROXY/
    ]
  ]
  it.each(rows)("%o", (fields, reached, expected) => {
    assert.match(networkCause(error(fields), reached) ?? "", expected)
  })

  it("what is not known has no cause", () => {
    for (const one of [error({ code: "EOTHER" }), "text", null, undefined]) {
      assert.isUndefined(networkCause(one, https))
    }
  })
})
