/** The process that a word of the command line means. */
import type { ProcessInfo } from '@skein/core'
import { Failure } from './failure.ts'

/** The one that the word means: the first of these ways that finds any. */
export function choose(
  word: string,
  processes: readonly ProcessInfo[],
  { namespace, to }: { readonly namespace: string; readonly to: 'ended' | 'read' },
): ProcessInfo {
  const ways: readonly ((one: ProcessInfo) => boolean)[] = [
    ({ id }) => id === word,
    ({ pid }) => String(pid) === word,
    ({ name }) => name === word,
    ({ id }) => id.startsWith(word),
  ]
  const found = ways.map((way) => processes.filter(way)).find((some) => some.length > 0) ?? []
  const [chosen, ...others] = found
  if (chosen === undefined) {
    throw new Failure(
      1,
      `no process ${JSON.stringify(word)} runs in namespace ${namespace}; skein ps lists those that do`,
    )
  }
  if (others.length > 0) {
    throw new Failure(1, `${JSON.stringify(word)} may be ${found.map(describe).join(', or ')}; give the whole id`)
  }
  if (chosen.role !== 'process') {
    const what = chosen.role === 'main' ? 'the main process of a program' : 'a worker of a pool'
    throw new Failure(1, `${describe(chosen)} is ${what}; from here only what was started with start() can be ${to}`)
  }
  return chosen
}

export function describe({ id, name, pid, host }: ProcessInfo): string {
  return `${name} (${id}, pid ${pid} on ${host})`
}
