/** The local adapter: its nature, and the supervisor thread that its contexts of a namespace share. */
import { LinkedAdapter } from '../client/linked-adapter.ts'
import { groundNow, supervisorGround } from '../client/supervisor-ground.ts'
import type { ConnectSettings } from '../contract/adapter-module.ts'
import { currentProcess } from '../current-process.ts'
import type { Nature } from '../supervisor/boot.ts'

/** What the thread of `local:NAME` is started with. */
export interface Meeting {
  readonly name: string
}

const entry = new URL('./local-entry.js', import.meta.url)

function natureOf(place: string): Nature {
  // What a program keeps for itself nobody else can mean, whatever its namespace.
  return { kind: 'local', place, scope: `local ${currentProcess().id}`, json: false, confirmed: false }
}

/** @param place see place.ts */
export function openLocal(place: string, settings: ConnectSettings): LinkedAdapter {
  const { namespace } = settings
  return new LinkedAdapter(groundNow({ entry, start: null, nature: natureOf(place), namespace, settings }))
}

/**
 * With what other programs of this user and machine share under that name.
 *
 * @throws ConnectionError if the program that hosts it does not answer; StateError, NotSupportedError where nobody can meet
 */
export async function openMeeting(name: string, place: string, settings: ConnectSettings): Promise<LinkedAdapter> {
  const { namespace } = settings
  const start: Meeting = { name }
  return new LinkedAdapter(await supervisorGround({ entry, start, nature: natureOf(place), namespace, settings }))
}
