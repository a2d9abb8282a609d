/** The role of a process: loads its target, runs it once. */
import { encode } from '../codec/index.ts'
import type { TargetRef } from '../contract/target.ts'
import { resolveTarget } from '../target/index.ts'
import { op } from '../wire/frame.ts'
import type { Role } from './boot.ts'
import type { LastWord } from './last-word.ts'

export interface RoleDeps {
  readonly word: LastWord
  readonly decode: (bytes: Uint8Array) => unknown
  /** Waits for what this process has started. */
  readonly close: () => Promise<void>
}

export async function runProcess(role: Extract<Role, { kind: 'process' }>, deps: RoleDeps): Promise<void> {
  const { word, decode } = deps
  let target
  let args
  try {
    target = await resolveTarget(decode(role.target) as TargetRef)
    // After the module, which may have registered error classes.
    args = decode(role.args) as unknown[]
  } catch (error) {
    word.threw(op.unloaded, error)
    return word.end(1)
  }
  word.say(op.loaded)
  try {
    const result: unknown = await target(...args)
    word.say(op.returned, encode(result, 'result'))
  } catch (error) {
    word.threw(op.threw, error)
    return word.end(1)
  }
  await deps.close()
  return word.end(Number(process.exitCode ?? 0))
}
