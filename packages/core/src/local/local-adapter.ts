/** The local adapter: its nature, and the supervisor thread that its contexts of a namespace share. */
import { LinkedAdapter } from '../client/linked-adapter.ts'
import { groundNow } from '../client/supervisor-ground.ts'
import type { ConnectSettings } from '../contract/adapter-module.ts'
import type { Nature } from '../supervisor/boot.ts'

const nature: Nature = { kind: 'local', place: 'local', scope: 'local', json: false, confirmed: false }

const entry = new URL('./local-entry.js', import.meta.url)

export function openLocal(namespace: string, settings: ConnectSettings): LinkedAdapter {
  return new LinkedAdapter(groundNow({ entry, start: null, nature, namespace, settings }))
}
