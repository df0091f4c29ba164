import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { execFileSync } from "node:child_process"
import { existsSync, linkSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { isMountPoint } from "../../src/storage/sqlite/LinkedFile.js"
import { Storage } from "../../src/StorageLayers.js"
import { folder } from "../http/Server.js"

const opened = (file: string) => Effect.scoped(Layer.build(Storage.layerFile(file)))
const refused = (file: string) => Effect.flip(opened(file))

const mounts = (...args: ReadonlyArray<string>): boolean => {
  try {
    execFileSync("mount", args, { stdio: "ignore" })
    return true
  } catch {
    return false
  }
}

describe("a file with two paths", () => {
  it.scopedLive("is refused as a hard link, by both of its names and by a symbolic link, and nothing is written", () =>
    Effect.gen(function*() {
      const home = yield* folder
      const file = join(home, "events.sqlite")
      const other = join(home, "other.sqlite")
      yield* opened(file)
      linkSync(file, other)
      symlinkSync(other, join(home, "symbolic.sqlite"))
      const before = readFileSync(file)
      for (const name of ["events.sqlite", "other.sqlite", "symbolic.sqlite"]) {
        const error = yield* refused(join(home, name))
        assert.strictEqual(error.reason, "Linked")
        assert.include(error.message, "remove the other name (a hard link: the file has 2 names)")
        assert.isFalse(existsSync(join(home, `${name}-wal`)))
      }
      assert.isTrue(before.equals(readFileSync(file)))
      rmSync(other)
      yield* opened(file)
    }))

  it.scopedLive("is not written any more once it is linked, until the other name is gone", () =>
    Effect.gen(function*() {
      const file = join(yield* folder, "events.sqlite")
      yield* Effect.gen(function*() {
        const { read, sql, write } = yield* Storage
        yield* write(sql`CREATE TABLE note (id INTEGER)`)
        linkSync(file, `${file}.other`)
        assert.strictEqual((yield* Effect.flip(write(sql`INSERT INTO note VALUES (1)`))).reason, "Linked")
        rmSync(`${file}.other`)
        yield* write(sql`INSERT INTO note VALUES (2)`)
        assert.deepStrictEqual(yield* read(sql`SELECT id FROM note`), [{ id: 2 }])
      }).pipe(Effect.provide(Storage.layerFile(file)))
    }))

  it.scopedLive("is refused where it is mounted alone; its mounted folder is not", ({ skip }) =>
    Effect.gen(function*() {
      const home = yield* folder
      const file = join(home, "events.sqlite")
      const mounted = join(home, "mounted file.sqlite")
      yield* opened(file)
      writeFileSync(mounted, "")
      if (!mounts("--bind", file, mounted)) {
        console.warn("SKIPPED: a file that is mounted alone. It needs the right to `mount --bind`, as root has it.")
        return skip()
      }
      yield* Effect.addFinalizer(() => Effect.sync(() => execFileSync("umount", [mounted])))
      const error = yield* refused(mounted)
      assert.strictEqual(error.reason, "Linked")
      assert.include(error.message, "mount the folder, not the file")
      assert.isFalse(existsSync(`${mounted}-wal`))

      const data = yield* folder
      assert.isTrue(mounts("--bind", home, data))
      yield* Effect.addFinalizer(() => Effect.sync(() => execFileSync("umount", ["-l", data])))
      yield* opened(join(data, "events.sqlite"))
    }))

  it("a mount point is found in the kernel's own list of them", () => {
    const mountinfo = [
      "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw",
      "41 22 254:0 /srv/db.sqlite /data/db.sqlite rw,relatime shared:1 - ext4 /dev/vda rw",
      "42 22 254:0 /x /data/a\\040b\\134c\\011d.sqlite rw,relatime - ext4 /dev/vda rw",
      "43 22 254:0 /srv/folder /folder rw - ext4 /dev/vda rw",
      "44 22 254:0 /u /data/träume.sqlite rw - ext4 /dev/vda rw",
      ""
    ].join("\n")
    for (const path of ["/data/db.sqlite", "/data/a b\\c\td.sqlite", "/folder", "/data/träume.sqlite"]) {
      assert.isTrue(isMountPoint(mountinfo, path), path)
    }
    for (const path of ["/srv/db.sqlite", "/folder/db.sqlite", "/data/a\\040b", "/data"]) {
      assert.isFalse(isMountPoint(mountinfo, path), path)
    }
  })
})
