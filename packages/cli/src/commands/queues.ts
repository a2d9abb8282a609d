/** `skein queues`: how deep they are, and who waits at them. */
import type { ObjectSnapshot } from '@skein/core'
import type { Command } from 'commander'
import { print } from '../output/print.ts'
import type { Column } from '../output/table.ts'
import { amongOthers, type PlaceOptions } from '../place.ts'

export const queueColumns: readonly Column<ObjectSnapshot>[] = [
  { title: 'NAME', of: ({ name }) => name },
  { title: 'ITEMS', of: ({ depth }) => depth },
  { title: 'MAX', of: ({ capacity }) => capacity },
  { title: 'DELAYED', of: ({ delayed = 0 }) => delayed },
  { title: 'TAKEN', of: ({ holders }) => holders.reduce((sum, { count }) => sum + count, 0) },
  { title: 'DEAD', of: ({ dead = 0 }) => dead },
  { title: 'GETTING', of: ({ waiters }) => waiters.filter(({ call }) => call === 'get').length },
  { title: 'PUTTING', of: ({ waiters }) => waiters.filter(({ call }) => call === 'put').length },
  { title: 'STATE', of: ({ state }) => state },
]

export function isQueue({ kind }: ObjectSnapshot): boolean {
  return kind === 'queue'
}

export function addQueues(program: Command): void {
  program
    .command('queues')
    .description('how deep each queue is, and who waits at it')
    .action(async (_, command: Command) => {
      const options = command.optsWithGlobals<PlaceOptions>()
      await amongOthers('queues', options, async (mp) => {
        const { objects } = await mp.inspect()
        const nothing = `No queue is in use in namespace ${mp.namespace}.`
        print({ rows: objects.filter(isQueue), columns: queueColumns, nothing }, options.json ?? false)
      })
    })
}
