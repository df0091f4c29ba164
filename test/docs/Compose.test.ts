import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import { isAbsolute, join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { parse } from "yaml"
import { allSettings } from "../../src/config/AllSettings.js"
import { environmentOf, stagesOf, stepIn } from "../docker/Dockerfile.js"

const root = fileURLToPath(new URL("../../", import.meta.url))
const folder = join(root, "examples/docker")
const textOf = (path: string) => readFileSync(join(root, path), "utf8")

const names = allSettings.map(({ definition }) => definition.name)
const secrets = allSettings.filter(({ definition }) => definition.secret).map(({ definition }) => definition.name)

const image = stagesOf(textOf("Dockerfile")).at(-1) ?? assert.fail("the Dockerfile has no stage")
const [volume, port] = [stepIn(image, "VOLUME").rest, stepIn(image, "EXPOSE").rest]

const optional = { exact: true } as const
const Mount = Schema.Struct({
  type: Schema.Literal("bind"),
  source: Schema.String,
  target: Schema.String,
  read_only: Schema.Literal(true),
  bind: Schema.Struct({ create_host_path: Schema.Literal(false) })
})
const Service = Schema.Struct({
  build: Schema.optionalWith(Schema.String, optional),
  image: Schema.String,
  pull_policy: Schema.optionalWith(Schema.Literal("build"), optional),
  init: Schema.optionalWith(Schema.Boolean, optional),
  restart: Schema.Literal("unless-stopped"),
  stop_grace_period: Schema.String.pipe(Schema.pattern(/^\d+[sm]$/)),
  env_file: Schema.optionalWith(Schema.String, optional),
  environment: Schema.Record({ key: Schema.String, value: Schema.Union(Schema.String, Schema.Number) }),
  ports: Schema.optionalWith(Schema.Array(Schema.String), optional),
  volumes: Schema.Array(Schema.Union(Schema.String, Mount)),
  extra_hosts: Schema.optionalWith(Schema.Array(Schema.String), optional),
  depends_on: Schema.optionalWith(
    Schema.Record({ key: Schema.String, value: Schema.Struct({ condition: Schema.Literal("service_healthy") }) }),
    optional
  ),
  healthcheck: Schema.optionalWith(
    Schema.Struct({
      test: Schema.Array(Schema.String),
      interval: Schema.String,
      timeout: Schema.String,
      start_period: Schema.String
    }),
    optional
  ),
  networks: Schema.optionalWith(Schema.Array(Schema.String), optional)
})
const Compose = Schema.Struct({
  name: Schema.String,
  "x-replica": Schema.optionalWith(Schema.Unknown, optional),
  services: Schema.Record({ key: Schema.String, value: Service }),
  volumes: Schema.Record({ key: Schema.String, value: Schema.Null }),
  networks: Schema.Record({ key: Schema.String, value: Schema.Struct({ external: Schema.Literal(true) }) })
})

/** A file as compose reads it. What compose does not know, or a test does not look at, is refused. */
const composeOf = (name: string) => {
  const text = textOf(`examples/docker/${name}`)
  const { services, ...rest } = Schema.decodeUnknownSync(Compose, { onExcessProperty: "error", errors: "all" })(
    parse(text, { merge: true })
  )
  const all = Object.entries(services).map(([name, service]) => ({ name, ...service }))
  return { ...rest, text, all, own: all.filter(({ build }) => build !== undefined) }
}

const files = readdirSync(folder)
const beside = composeOf("beside-plane.yaml")
const replicas = composeOf("replicas.yaml")

describe("examples/docker", () => {
  it("has two files, which docs/docker.md leads to, as projects of their own", () => {
    assert.deepStrictEqual(files.sort(), ["beside-plane.yaml", "replicas.yaml"])
    for (const file of files) assert.include(textOf("docs/docker.md"), `(../examples/docker/${file})`)
    assert.notStrictEqual(beside.name, replicas.name)
    assert.lengthOf(beside.own, 1)
    assert.lengthOf(replicas.own, 2)
  })

  for (const [file, compose] of [["beside-plane.yaml", beside], ["replicas.yaml", replicas]] as const) {
    describe(file, () => {
      it("builds this tree, and never takes an image of this name from elsewhere", () => {
        const { version } = Schema.decodeSync(Schema.parseJson(Schema.Struct({ version: Schema.String })))(
          textOf("package.json")
        )
        for (const service of compose.own) {
          assert.strictEqual(relative(root, join(folder, service.build ?? "")), "")
          assert.strictEqual(service.image, `plane-sync:${version}`)
          assert.strictEqual(service.pull_policy, "build")
          assert.isTrue(service.init)
        }
      })

      it("sets only settings that exist, and no secret", () => {
        for (const [name] of compose.text.matchAll(/\bORCH_\w*/g)) assert.include(names, name)
        for (const { environment } of compose.all) {
          for (const [name, value] of Object.entries(environment)) {
            if (name.startsWith("ORCH_")) {
              assert.notInclude(secrets.filter((each) => each !== "ORCH_DATABASE_URL"), name)
            }
            if (/PASSWORD|:\/\//.test(`${name}=${value}`)) {
              assert.match(String(value), /\$\{POSTGRES_PASSWORD:\?.+\}/, name)
            }
          }
        }
      })

      it("overrules what a file for a life without a container may say, as the image needs it", () => {
        const ofImage = environmentOf(image)
        for (const { environment } of compose.own) {
          assert.strictEqual(environment["ORCH_HOST"], ofImage["ORCH_HOST"])
          assert.strictEqual(String(environment["ORCH_PORT"]), port)
          assert.isDefined(environment["ORCH_DATABASE_URL"])
        }
      })

      it("publishes the port of the image on this machine alone, each replica's on one of its own", () => {
        const ports = compose.own.map(({ ports = [] }) => ports)
        for (const [first = "", ...more] of ports) {
          assert.match(first, new RegExp(`^127\\.0\\.0\\.1:\\d+:${port}$`))
          assert.isEmpty(more)
        }
        assert.strictEqual(new Set(ports.flat()).size, compose.own.length)
        // Nobody but the replicas reaches Postgres.
        assert.isTrue(compose.all.every(({ build, ports }) => build !== undefined || ports === undefined))
      })

      it("mounts the two files that init writes, one of them as settings, and has each named volume", () => {
        for (const { env_file, volumes } of compose.own) {
          assert.strictEqual(relative(root, join(folder, env_file ?? "")), ".env")
          const [mount] = volumes.flatMap((each) => typeof each === "string" ? [] : [each])
          assert.strictEqual(relative(root, join(folder, mount?.source ?? "")), "plane-sync.json")
          // Where the program looks for what `ORCH_CONFIG=plane-sync.json` names.
          assert.strictEqual(mount?.target, `${stepIn(image, "WORKDIR").rest}/plane-sync.json`)
        }
        const named = compose.all.flatMap(({ volumes }) =>
          volumes.flatMap((each) => typeof each === "string" ? [each.split(":")] : [])
        )
        assert.deepStrictEqual(named.map(([name]) => name), Object.keys(compose.volumes))
        for (const [, target = ""] of named) assert.isTrue(isAbsolute(target))
      })

      it("leaves the image's health check as it is", () => {
        for (const { healthcheck } of compose.own) assert.isUndefined(healthcheck)
      })

      it("names networks that it has", () => {
        for (const { networks = [] } of compose.all) {
          for (const network of networks) assert.include(["default", ...Object.keys(compose.networks)], network)
        }
      })
    })
  }

  it("keeps the file in the volume of the image", () => {
    for (const { environment, volumes } of beside.own) {
      assert.include(volumes, `data:${volume}`)
      assert.match(String(environment["ORCH_DATABASE_URL"]), new RegExp(`^${volume}/[^/]+$`))
      assert.strictEqual(environment["ORCH_DATABASE_URL"], environmentOf(image)["ORCH_DATABASE_URL"])
    }
  })

  it("gives the replicas the Postgres beside them, once it takes connections", () => {
    const [postgres, ...more] = replicas.all.filter(({ build }) => build === undefined)
    assert.isEmpty(more)
    if (postgres === undefined) return assert.fail("there is no Postgres")
    const { POSTGRES_DB, POSTGRES_PASSWORD, POSTGRES_USER } = postgres.environment
    for (const { depends_on, environment } of replicas.own) {
      assert.deepStrictEqual(depends_on, { [postgres.name]: { condition: "service_healthy" } })
      assert.strictEqual(
        environment["ORCH_DATABASE_URL"],
        `postgres://${POSTGRES_USER}:${POSTGRES_PASSWORD}@${postgres.name}:5432/${POSTGRES_DB}`
      )
    }
    const { test = [] } = postgres.healthcheck ?? {}
    assert.deepStrictEqual(test.slice(0, 2), ["CMD", "pg_isready"])
    assert.includeMembers([...test], ["127.0.0.1", POSTGRES_USER, POSTGRES_DB])
    const [, release = ""] = /^postgres:(\d+)$/.exec(postgres.image) ?? []
    assert.include(textOf("docs/scale.md"), `Postgres ${release} is what the tests run on`)
  })

  it("is refused when it says what nobody looks at", () => {
    assert.throws(() =>
      Schema.decodeUnknownSync(Compose, { onExcessProperty: "error" })({ ...parse("name: x"), extra: 1 })
    )
  })
})
