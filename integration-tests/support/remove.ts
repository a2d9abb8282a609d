/** Removing a folder of which somebody who is about to end may make use yet. */
import { rmSync } from 'node:fs'

/** Who is ending may still write a file there; Node's own retries would not remove that. */
export function remove(folder: string): void {
  for (let left = 100; ; left -= 1) {
    try {
      rmSync(folder, { recursive: true, force: true })
      return
    } catch (error) {
      if (left === 0 || (error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50)
    }
  }
}
