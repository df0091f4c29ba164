import { readdirSync, readFileSync } from "node:fs"

const folder = new URL("./fixtures/", import.meta.url)

/** A body as its sender writes it, byte for byte. */
export const fixture = (path: string): string => readFileSync(new URL(`${path}.json`, folder), "utf8")

/** The names of all fixtures of a sender. */
export const fixturesOf = (source: "plane" | "gitea"): ReadonlyArray<string> =>
  readdirSync(new URL(source, folder)).map((file) => `${source}/${file.replace(/\.json$/, "")}`)

type Json = { readonly [key: string]: unknown }

const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

const merged = (base: unknown, change: unknown): unknown =>
  isJson(base) && isJson(change)
    ? { ...base, ...Object.fromEntries(Object.entries(change).map(([key, value]) => [key, merged(base[key], value)])) }
    : change

/** A fixture with some of its values changed. */
export const changed = (path: string, change: Json): string =>
  JSON.stringify(merged(JSON.parse(fixture(path)), change), null, path.startsWith("gitea") ? 2 : 0)
