import { statfsSync } from "node:fs"
import { tmpdir } from "node:os"

const inMemory = "/dev/shm"
const room = 1024 ** 3

/**
 * Where the tests have their files: in memory, where there is room. A commit waits for the disk, and what is on it
 * after a power cut is not what these tests are about; `npm run faults` and `npm run crash` use a real disk.
 */
export const temporaryFolder = (): string => {
  try {
    const { bavail, bsize } = statfsSync(inMemory)
    return bavail * bsize >= room ? inMemory : tmpdir()
  } catch {
    return tmpdir()
  }
}
