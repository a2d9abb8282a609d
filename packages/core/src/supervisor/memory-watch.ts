/**
 * Whether a child ended for want of memory. At the limit of its heap Node aborts, as it does for other reasons, and says which only in
 * text. But it can write a report first: into a file without a name, which the child inherits and which is looked at when it was
 * aborted. The kernel kills as anybody does, but it counts.
 */
import { randomUUID } from 'node:crypto'
import { closeSync, constants, openSync, readFileSync, readSync, unlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** Of a report: what caused it stands in its head. */
const HEAD_BYTES = 4096

/** Where one child's report would be. */
export class DeathReport {
  /** For the child to inherit. */
  readonly descriptor: number

  private constructor(descriptor: number) {
    this.descriptor = descriptor
  }

  /** `null` where there can be none. */
  static open(): DeathReport | null {
    // A child names it by its descriptor, which it cannot here.
    if (process.platform === 'win32') return null
    const path = join(resolve(tmpdir()), `skein-${randomUUID()}`)
    try {
      const descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600)
      unlinkSync(path)
      return new DeathReport(descriptor)
    } catch {
      return null
    }
  }

  /** Whether it says that the heap was full. */
  get outOfMemory(): boolean {
    const head = Buffer.alloc(HEAD_BYTES)
    return /"trigger":\s*"OOMError"/.test(head.toString('latin1', 0, readSync(this.descriptor, head, 0, HEAD_BYTES, 0)))
  }

  close(): void {
    closeSync(this.descriptor)
  }
}

/** How many processes the kernel has killed for memory, of those that may be ours. */
export class KernelKills {
  readonly #read: () => number
  #count: number

  constructor(read: () => number = killsOfKernel()) {
    this.#read = read
    this.#count = read()
  }

  /** Whether there was one since this was asked last. */
  get another(): boolean {
    const before = this.#count
    this.#count = this.#read()
    return this.#count > before
  }
}

/** In a child: Node's report of a fatal error goes there, unless the program wants reports elsewhere. */
export function reportTo(descriptor: number): void {
  const { report } = process
  if (report.reportOnFatalError || report.reportOnUncaughtException || report.reportOnSignal) return
  if (report.filename !== '' || report.directory !== '') return
  report.reportOnFatalError = true
  report.filename = `/dev/fd/${descriptor}`
  // It would look up the names of all hosts that the process is connected to, while it holds everybody up.
  Reflect.set(report, 'excludeNetwork', true)
}

/** Counts of this process's own control group, of both versions, or else of the machine. */
function killsOfKernel(): () => number {
  const path = [...groupFiles(), '/proc/vmstat'].find((file) => readCount(file) !== null)
  return () => (path === undefined ? 0 : (readCount(path) ?? 0))
}

function groupFiles(): string[] {
  const groups = readText('/proc/self/cgroup').split('\n')
  return groups.flatMap((group) => {
    const [, controllers, path = '/'] = /^\d+:([^:]*):(.*)$/.exec(group) ?? []
    // Inside a container the path may be that of the machine; the container's own group is then at the top.
    if (controllers === '') return [path, '/'].map((one) => join('/sys/fs/cgroup', one, 'memory.events'))
    if (controllers?.split(',').includes('memory') !== true) return []
    return [path, '/'].map((one) => join('/sys/fs/cgroup/memory', one, 'memory.oom_control'))
  })
}

function readCount(file: string): number | null {
  const count = /^oom_kill (\d+)$/m.exec(readText(file))?.[1]
  return count === undefined ? null : Number(count)
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}
