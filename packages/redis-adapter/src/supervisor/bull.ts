/**
 * BullMQ's own script texts, unchanged, as functions inside our scripts: so what we do beside BullMQ's keys happens in the same atomic
 * step, and what BullMQ does to its keys is what that version of BullMQ does. A test compares the texts with recorded digests.
 */
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'

interface BullScript {
  readonly name: string
  readonly content: string
}

const used = ['addStandardJob', 'moveToActive', 'moveToFinished', 'moveJobFromActiveToWait'] as const

type Used = (typeof used)[number]

/** The texts that we wrap. */
export const bullTexts: Readonly<Record<Used, string>> = load()

function load(): Record<Used, string> {
  // The package has no map of exports, and what `bullmq` itself exports does not include the texts.
  const all = createRequire(import.meta.url)('bullmq/dist/cjs/scripts/index.js') as Record<string, BullScript>
  const text = (name: Used): [Used, string] => {
    const found = all[name]
    if (found === undefined)
      throw new Error(`bullmq has no script ${name}; install the version that this package names`)
    return [name, found.content]
  }
  return Object.fromEntries(used.map(text)) as Record<Used, string>
}

/** BullMQ's name of every queue of ours; what tells them apart is the prefix. */
export const BULL_NAME = 'q'

/** How long BullMQ's own lock on a delivered job lasts: long, since who holds a delivery is our business. */
const LOCK = 86_400_000

const ours = ['m', 'p', 's', 'u', 'gw', 'pw', 'jw', 'd'] as const

/** BullMQ's keys in the order in which its scripts take them. */
const bullKeys = {
  add: ['wait', 'paused', 'meta', 'id', 'completed', 'delayed', 'active', 'events', 'marker'],
  take: ['wait', 'active', 'prioritized', 'events', 'stalled', 'limiter', 'delayed', 'paused', 'meta', 'pc', 'marker'],
  finish: ['wait', 'active', 'prioritized', 'events', 'stalled', 'limiter', 'delayed', 'paused', 'meta', 'pc'],
  back: ['active', 'wait', 'stalled', 'paused', 'meta', 'limiter', 'prioritized', 'marker', 'events'],
} as const

/** A script's own arguments, by the names that it knows them by; all scripts have the first four in common. */
const common = ['self', 'wake', 'tag', 'prefix']

interface Assembly {
  readonly bull: readonly (keyof typeof bullKeys)[]
  readonly arguments: readonly string[]
  /** Lua that defines what the script's file calls. */
  readonly functions: string
  readonly allowOom: boolean
}

const wrap = (name: string, text: string): string => `local function ${name}(KEYS,ARGV)\n${text}\nend\n`

/** A Lua table of `count` keys from the place where they begin in KEYS. */
const keysFrom = (name: string, start: number, count: number): string =>
  `local ${name}={} for i=1,${count} do ${name}[i]=KEYS[${start - 1}+i] end\n`

const FIRST = ours.length + 3

/** moveToFinished as a function of token and job. */
const finisher = (name: string, keys: string, target: string, keep: string, property: string, value: string): string =>
  `local function ${name}(token,job)
local k={} for i=1,10 do k[i]=${keys}[i] end
k[11]=A.prefix..${target} k[12]=A.prefix..job k[13]=A.prefix..'metrics:'..${target} k[14]=A.prefix..'marker'
return finished(k,{job,now,${property},${value},${target},'0',A.prefix,cmsgpack.pack({token=token,keepJobs={count=tonumber(${keep})},lockDuration=${LOCK},attempts=1,maxMetricsSize='',fpof=false,cpof=false,idof=false,rdof=false})})
end
`

/** Which script of ours; its file is `q-<script>.lua`. */
export type QueueScript = 'put' | 'fetch' | 'finish' | 'back' | 'reap' | 'wait'

const assemblies: Readonly<Record<QueueScript, Assembly>> = {
  put: {
    bull: ['add'],
    arguments: ['rid', 'maxSize', 'maxDeliveries', 'mode', 'confirmed', 'former', 'data'],
    functions: `${wrap('added', bullTexts.addStandardJob)}${keysFrom('BK', FIRST, 9)}local function bull()
return added(BK,{cmsgpack.pack({A.prefix,'','item',now}),A.data,cmsgpack.pack({attempts=1,removeOnComplete=true})})
end
`,
    allowOom: false,
  },
  fetch: {
    bull: ['take'],
    arguments: ['rid', 'mode', 'mine'],
    functions: `${wrap('taken', bullTexts.moveToActive)}${keysFrom('BK', FIRST, 11)}local function bull()
return taken(BK,{A.prefix,now,cmsgpack.pack({token=A.rid,lockDuration=${LOCK}})})
end
`,
    allowOom: true,
  },
  finish: {
    bull: ['finish'],
    arguments: ['list', 'target', 'keep', 'property', 'value'],
    functions: `${wrap('finished', bullTexts.moveToFinished)}${keysFrom('BK', FIRST, 10)}${finisher('bull', 'BK', 'A.target', 'A.keep', 'A.property', 'A.value')}`,
    allowOom: true,
  },
  back: {
    bull: ['back'],
    arguments: ['list', 'same'],
    functions: `${wrap('returned', bullTexts.moveJobFromActiveToWait)}${keysFrom('BK', FIRST, 9)}local function bull(token,job)
return returned(BK,{job,token,A.prefix..job})
end
`,
    allowOom: true,
  },
  reap: {
    bull: ['back', 'finish'],
    arguments: ['dead'],
    functions: `${wrap('returned', bullTexts.moveJobFromActiveToWait)}${wrap('finished', bullTexts.moveToFinished)}${keysFrom('BK', FIRST, 9)}${keysFrom('FK', FIRST + 9, 10)}local function back(token,job)
return returned(BK,{job,token,A.prefix..job})
end
${finisher('fail', 'FK', "'failed'", '-1', "'failedReason'", "'its consumers died'")}`,
    allowOom: true,
  },
  wait: { bull: [], arguments: ['op', 'rid', 'arg', 'more'], functions: '', allowOom: true },
}

export const queueScripts: readonly QueueScript[] = Object.keys(assemblies) as QueueScript[]

function file(name: string): string {
  return readFileSync(new URL(`../../scripts/${name}.lua`, import.meta.url), 'utf8')
}

/** A script's whole text. BullMQ's functions come after `_queue`, whose `now` they use. */
export function scriptText(script: QueueScript): string {
  const { arguments: own, functions } = assemblies[script]
  const keys = [...ours.map((key, index) => `${key}=KEYS[${index + 1}]`), 'wait=KEYS[9]', 'prioritized=KEYS[10]']
  const named = [...common, ...own].map((argument, index) => `${argument}=ARGV[${index + 1}]`)
  return `local K={${keys.join(',')}}\nlocal A={${named.join(',')}}\n${file('_queue')}${functions}${file(`q-${script}`)}`
}

export function allowsOom(script: QueueScript): boolean {
  return assemblies[script].allowOom
}

/** What BullMQ calls the queue's prefix, so that `new Queue('q', { prefix })` sees it. */
export function keyPrefix(base: string): string {
  return `${base}:${BULL_NAME}:`
}

/** Every key that the script takes. */
export function scriptKeys(script: QueueScript, base: string): readonly string[] {
  const prefix = keyPrefix(base)
  const { bull } = assemblies[script]
  const others = bull.flatMap((group) => bullKeys[group].map((key) => prefix + key))
  return [...ours.map((key) => `${base}:${key}`), `${prefix}wait`, `${prefix}prioritized`, ...others]
}
