/** `skein ps`: the processes that run. */
import type { ProcessInfo } from '@skein/core'
import type { Command } from 'commander'
import { print } from '../output/print.ts'
import type { Column } from '../output/table.ts'
import { amongOthers, othersIn, type PlaceOptions } from '../place.ts'

export const processColumns: readonly Column<ProcessInfo>[] = [
  { title: 'ID', of: ({ id }) => id },
  { title: 'NAME', of: ({ name }) => name },
  {
    title: 'ROLE',
    of: ({ role, daemon, detached }) => [role, daemon && 'daemon', detached && 'detached'].filter(Boolean).join(','),
  },
  { title: 'PID', of: ({ pid }) => pid },
  { title: 'HOST', of: ({ host }) => host },
  { title: 'PARENT', of: ({ parent }) => parent },
]

export function addPs(program: Command): void {
  program
    .command('ps')
    .description('the processes that run, of all programs')
    .action(async (_, command: Command) => {
      const options = command.optsWithGlobals<PlaceOptions>()
      await amongOthers('ps', options, async (mp) => {
        const nothing = `No process runs in namespace ${mp.namespace}.`
        print({ rows: await othersIn(mp), columns: processColumns, nothing }, options.json ?? false)
      })
    })
}
