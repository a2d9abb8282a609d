/**
 * Tells whether code runs because a target's module is being loaded. A child that runs the program's main module again must not
 * start the program's processes again: without this, a missing `isMainProcess` guard starts processes without end.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { BootstrapError } from '../errors.ts'

// Follows the module's top level through its awaits, and not the tasks that run beside it. What the top level leaves behind
// (timers) keeps the storage, so the end of the load is noted in it.
const load = new AsyncLocalStorage<{ active: boolean }>()

// Until the first target has been loaded, nothing but modules can be running here, whatever a loader does to the storage.
let loaded = 0
let loading = 0

/** Whether the caller runs at the top level of a module that is being loaded for a target. */
export function isLoadingTarget(): boolean {
  return load.getStore()?.active === true || (loaded === 0 && loading > 0)
}

/** @throws BootstrapError while a target's module is loading */
export function assertNotLoadingTarget(): void {
  if (!isLoadingTarget()) return
  throw new BootstrapError(
    'A process was started while the module of a target was still loading in a child process: ' +
      'put the code that starts processes into "if (isMainProcess) { … }", with isMainProcess from @skein/core.',
  )
}

/** Runs `body`, which loads a target's module. */
export async function whileLoading<T>(body: () => Promise<T>): Promise<T> {
  const state = { active: true }
  loading += 1
  try {
    return await load.run(state, body)
  } finally {
    state.active = false
    loading -= 1
    loaded += 1
    // While a storage is in use, Node 20 follows every promise of the process, which costs the program a third of its speed.
    if (loading === 0) load.disable()
  }
}
