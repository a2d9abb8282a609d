/** The same targets named and resolved under different loaders: all of them find the function, and none takes a namesake for it. */
import { describe, expect, it } from 'vitest'
import { refOf } from '../../src/target/index.ts'
import * as barrel from './fixtures/acme/src/barrel.ts'
import library from './fixtures/acme/src/library.cjs'
import single from './fixtures/acme/src/single.cjs'
import answer, * as work from './fixtures/acme/src/work.ts'
import { Receiver, canStrip, fixture, runNode } from './receiver.ts'
import type { Outcome } from './receiver.ts'

const inline = (name: string, place: string, module = 'acme-app/src/work'): string =>
  `TargetNotFoundError: "${name}" at ${place} was defined inline: the exported "${name}" of ${module} is another function. ` +
  'Export it under a name of its own.'
const nameless = (place: string, module: string, exports: string): string =>
  `TargetNotFoundError: The function without a name (${place}) is not exported from ${module} (exports: ${exports}). ` +
  'Give it a name and export it.'
const exported = 'counter, decrement, default, increment, otherCounter, resize, sizeOf, square, timesTen, twin'

const expected = {
  declared: 49,
  generic: 3,
  arrow: 2,
  asyncArrow: 0,
  renamed: 40,
  default: -5,
  commonJs: 4,
  commonJsNameless: 16,
  commonJsComputed: 308,
  commonJsSingle: 1008,
  commonJsChain: 9,
  commonJsStep: nameless('src/library.cjs:8', 'acme-app/src/library', 'chain, computed, half, twice'),
  commonJsNamesake: inline('half', 'src/library.cjs:7', 'acme-app/src/library'),
  namesake: inline('square', 'src/work.ts:34'),
  reExportedNamesake: inline('half', 'src/barrel.ts:2', 'acme-app/src/barrel'),
  twin: 3,
  copy: inline('twin', 'src/work.ts:50'),
  unexported:
    `TargetNotFoundError: "unknown" is not exported from acme-app/src/work (exports: ${exported}). ` +
    'Add "export" in front of it (src/work.ts:34).',
  anonymous: nameless('src/work.ts:46', 'acme-app/src/work', exported),
  closure:
    'ArgumentError: "counter" (src/work.ts:39) uses variables of the code around it, and a closure cannot cross processes: ' +
    'export a function at the top level of its module and give it those values as arguments, or with bind().',
}

/** Values and messages. Columns differ between loaders and are left out; lines must not differ. */
function summary(outcomes: Record<string, Outcome>): Record<string, unknown> {
  const read = (outcome: Outcome): unknown =>
    'value' in outcome
      ? outcome.value
      : `${outcome.error.name}: ${outcome.error.message.replaceAll(/(\w\.c?[jt]s:\d+):\d+/g, '$1')}`
  return Object.fromEntries(Object.entries(outcomes).map(([name, outcome]) => [name, read(outcome)]))
}

async function roundTrip(...args: string[]): Promise<Record<string, unknown>> {
  return summary(JSON.parse(await runNode(args)) as Record<string, Outcome>)
}

async function attempt(receiver: Receiver, target: unknown, argument: unknown): Promise<Outcome> {
  try {
    return await receiver.run(refOf(target), argument)
  } catch (error) {
    const { name, message } = error as Error
    return { error: { name, message } }
  }
}

interface Loader {
  readonly loader: string
  readonly options: string[]
}
const tsx: Loader = { loader: 'tsx', options: ['--import', 'tsx'] }
const loaders = canStrip ? [tsx, { loader: "Node's type stripping", options: [] }] : [tsx]

describe('named here, in vitest', () => {
  const cases: Record<string, readonly [target: unknown, argument: unknown]> = {
    declared: [work.square, 7],
    generic: [work.sizeOf, { size: 3 }],
    arrow: [work.increment, 1],
    asyncArrow: [work.decrement, 1],
    renamed: [work.timesTen, 4],
    default: [answer, 5],
    namesake: [work.inline.square, 7],
    reExportedNamesake: [barrel.shadows.half, 8],
    twin: [work.twin, 1],
    copy: [work.copies.twin, 1],
    closure: [work.counter, undefined],
    unexported: [work.inline.unknown, 7],
    anonymous: [work.anonymous[0], 7],
    commonJs: [library.half, 8],
    commonJsNameless: [library.twice, 8],
    commonJsComputed: [library.computed, 8],
    commonJsSingle: [single, 8],
    commonJsChain: [library.chain, 8],
    commonJsStep: [library.chain.steps[0], 8],
    commonJsNamesake: [library.shadows.half, 8],
  }

  it.each([{ loader: 'the loader that it finds itself', options: [] }, tsx])(
    'resolved with $loader',
    async ({ options }) => {
      const receiver = new Receiver({ execArgv: options })
      const outcomes: Record<string, Outcome> = {}
      try {
        for (const [name, [target, argument]] of Object.entries(cases)) {
          outcomes[name] = await attempt(receiver, target, argument)
        }
      } finally {
        await receiver[Symbol.asyncDispose]()
      }
      expect(summary(outcomes)).toEqual(expected)
    },
  )
})

describe.each(loaders)('named with $loader', (sender) => {
  it('resolved with the same options', async () => {
    expect(await roundTrip(...sender.options, fixture('round-trip.mjs'))).toEqual(expected)
  })

  it.each(loaders)('resolved with $loader', async ({ options }) => {
    expect(await roundTrip(...sender.options, fixture('round-trip.mjs'), JSON.stringify(options))).toEqual(expected)
  })
})
