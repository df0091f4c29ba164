import { execFileSync } from "node:child_process"
import { existsSync, readdirSync, realpathSync } from "node:fs"
import { delimiter, dirname, join } from "node:path"

/** The oldest release that plane-sync supports. */
const oldest = 15

/** What the tests on Postgres use. */
export type Choice =
  | { readonly _tag: "Given"; readonly url: string }
  | { readonly _tag: "Own"; readonly folder: string }
  | { readonly _tag: "None"; readonly why: string }

const output = (program: string, ...args: ReadonlyArray<string>) => {
  try {
    return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim()
  } catch {
    return ""
  }
}

const debian = "/usr/lib/postgresql"

/** The folders of this machine with a server's programs, and the release of each. */
export const installed = (): ReadonlyArray<{ readonly folder: string; readonly release: number }> => {
  const folders = [
    output("pg_config", "--bindir"),
    ...(existsSync(debian) ? readdirSync(debian).map((release) => join(debian, release, "bin")) : []),
    ...(process.env["PATH"] ?? "").split(delimiter)
  ]
    // In a folder of PATH may stand a link. What belongs together stands where it leads.
    .flatMap((folder) => existsSync(join(folder, "postgres")) ? dirname(realpathSync(join(folder, "postgres"))) : [])
    .filter((folder) => existsSync(join(folder, "initdb")))
  return Array.from(new Set(folders), (folder) => ({
    folder,
    release: Number(/\d+/.exec(output(join(folder, "postgres"), "--version"))?.[0] ?? 0)
  }))
}

/** The server of `ORCH_TEST_DATABASE_URL`, or else the newest of the machine, or else none. `none` asks for none. */
export const choose = (given: string | undefined, found: () => ReturnType<typeof installed>): Choice => {
  if (given === "none") return { _tag: "None", why: "ORCH_TEST_DATABASE_URL is none" }
  if (given !== undefined && given !== "") return { _tag: "Given", url: given }
  const [newest] = [...found()].sort((a, b) => b.release - a.release)
  return newest !== undefined && newest.release >= oldest
    ? { _tag: "Own", folder: newest.folder }
    : {
      _tag: "None",
      why: `this machine has ${newest === undefined ? "no Postgres" : `only Postgres ${newest.release}`}: ` +
        `install ${oldest} or newer, or set ORCH_TEST_DATABASE_URL`
    }
}
