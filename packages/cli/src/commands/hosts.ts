/** `skein hosts`: the programs that run what others start. */
import type { HostInfo } from '@skein/core'
import type { Command } from 'commander'
import { print } from '../output/print.ts'
import { clean, type Column } from '../output/table.ts'
import { amongOthers, type PlaceOptions } from '../place.ts'

export const hostColumns: readonly Column<HostInfo>[] = [
  { title: 'PROGRAM', of: ({ program }) => program },
  { title: 'HOST', of: ({ host }) => host },
  { title: 'PID', of: ({ pid }) => pid },
  { title: 'VERSION', of: ({ version }) => version },
  { title: 'STATE', of: ({ state }) => state },
  { title: 'BUSY', of: ({ busy }) => busy },
  { title: 'SLOTS', of: ({ slots }) => (slots === Number.POSITIVE_INFINITY ? 'any' : slots) },
  {
    title: 'LABELS',
    of: ({ labels }) =>
      Object.entries(labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(','),
  },
]

/** Of two machines that keep time, no clocks are so far apart; milliseconds. */
const SKEWED = 5_000

/** What is held and delayed goes by the clock of Redis, but who compares times in logs should know of it. */
function noteSkew({ host, pid, skew }: HostInfo): void {
  if (skew === null || Math.abs(skew) < SKEWED) return
  const how = skew > 0 ? 'ahead of' : 'behind'
  process.stderr.write(
    `skein: the clock of ${clean(host)} (pid ${pid}) is ${Math.round(Math.abs(skew) / 1_000)} s ${how} that of this machine\n`,
  )
}

export function addHosts(program: Command): void {
  program
    .command('hosts')
    .description('the programs that run what others start, such as skein host')
    .action(async (_, command: Command) => {
      const options = command.optsWithGlobals<PlaceOptions>()
      await amongOthers('hosts', options, async (mp) => {
        // On one machine the only host that this command hears of is itself.
        const rows = mp.kind === 'local' ? [] : await mp.hosts()
        const nothing = `No program serves in namespace ${mp.namespace}; skein host is one that does.`
        print({ rows, columns: hostColumns, nothing }, options.json ?? false)
        for (const row of rows) noteSkew(row)
      })
    })
}
