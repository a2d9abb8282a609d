/** Where a start goes: to this program itself, or to whoever serves and has what it asks for. */
import type { HostInfo } from '@skein/core'
import type { Launch, Needs, Placed, Placement, StarterEvents, StartSpec } from '@skein/core/adapter'
import { lacks } from './needs.ts'
import { reasons } from '../peers/about.ts'
import type { OpenPlacement } from './open-placement.ts'
import type { RedisPlacement } from './redis-placement.ts'

export interface Routes {
  /** `null`: `serve: false`. */
  readonly home: RedisPlacement | null
  readonly open: OpenPlacement
  readonly hosts: () => Promise<readonly HostInfo[]>
}

export class Routing implements Placement {
  readonly #routes: Routes

  constructor(routes: Routes) {
    this.#routes = routes
  }

  start(spec: StartSpec, events: StarterEvents, launch: Launch): Placed {
    const { home, open } = this.#routes
    return home === null || spec.options.needs !== null ? open.start(spec, events) : home.start(spec, events, launch)
  }

  async refusals(needs: Needs | null): Promise<readonly string[] | null> {
    const { home, hosts } = this.#routes
    if (home !== null && needs === null) return null
    return (await hosts()).map((host) => `${host.host} (pid ${host.pid}) has not: ${refusal(needs, host)}`)
  }

  async close(): Promise<void> {
    await Promise.all([this.#routes.home?.close(), this.#routes.open.close()])
  }
}

function refusal(needs: Needs | null, host: HostInfo): string {
  const lacking = needs === null ? '' : lacks(needs, host)
  if (lacking !== '') return lacking
  if (host.state === 'foreign' || host.state === 'incompatible') return reasons[host.state](host)
  if (host.state === 'draining') return 'it takes nothing more'
  if (host.state === 'silent') return 'it does not answer'
  if (host.busy !== null && host.busy >= host.slots) return `its ${host.slots} slots are taken`
  return 'it was not quick enough'
}
