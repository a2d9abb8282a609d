/** Contexts of one process, place and namespace share a supervisor: what they ask for must agree. */
import type { ConnectSettings, ServeSettings } from '../contract/adapter-module.ts'
import { ConflictError } from '../errors.ts'
import type { Plan } from './supervisor-ground.ts'

/**
 * What was not asked for takes what is there.
 *
 * @throws ConflictError naming the setting and both values
 */
export function checkSame(there: Plan, asked: Plan): void {
  const conflict = (has: string, wants: string): ConflictError =>
    new ConflictError(
      `connect(): this process has namespace ${there.namespace} of this place open with ${has}, and now asks for ${wants}; leave it out to share what is there, close the other context first, or take another namespace`,
    )
  for (const name of asked.settings.given) {
    const [has, wants] = [shown(name, there.settings), shown(name, asked.settings)]
    if (has !== wants) throw conflict(has, wants)
  }
  for (const [name, value] of Object.entries(asked.access ?? {})) {
    if (value !== there.access?.[name]) throw conflict(`another ${name}`, 'one of its own')
  }
}

function shown(name: ConnectSettings['given'][number], settings: ConnectSettings): string {
  const value = settings[name]
  if (value === null) return `${name} left out`
  return `${name} ${typeof value === 'object' ? shownServe(value) : String(value)}`
}

/** As it was asked for, what is usual left out. */
function shownServe({ slots, root, ...others }: ServeSettings): string {
  const unusual: [string, unknown][] = Object.entries(others).filter(
    ([, value]) => value === true || Object.keys(value).length > 0,
  )
  if (root !== process.cwd()) unusual.unshift(['root', root])
  if (slots !== Number.POSITIVE_INFINITY) unusual.unshift(['slots', slots])
  if (unusual.length === 0) return 'true'
  return `{ ${unusual.map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join(', ')} }`
}
