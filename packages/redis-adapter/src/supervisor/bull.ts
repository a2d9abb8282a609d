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

const used = [
  'addStandardJob',
  'addDelayedJob',
  'addPrioritizedJob',
  'moveToActive',
  'moveToFinished',
  'moveToDelayed',
  'moveJobFromActiveToWait',
  'reprocessJob',
] as const

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

/** BullMQ's keys in the order in which its scripts take them; `*` is the job's own. */
const bullKeys: Readonly<Record<Used, string>> = {
  addStandardJob: 'wait paused meta id completed delayed active events marker',
  addDelayedJob: 'marker meta id delayed completed events',
  addPrioritizedJob: 'marker meta id prioritized delayed completed active events pc',
  moveToActive: 'wait active prioritized events stalled limiter delayed paused meta pc marker',
  moveToFinished: 'wait active prioritized events stalled limiter delayed paused meta pc',
  moveToDelayed: 'marker active prioritized delayed * events meta stalled wait limiter pc',
  reprocessJob: '* events failed wait meta active marker prioritized pc',
  moveJobFromActiveToWait: 'active wait stalled paused meta limiter prioritized marker events',
}

/** One of BullMQ's scripts as a Lua function of its arguments; `job` is whose key it takes, `more` are keys beside those that each call has. */
function bull(script: Used): string {
  const keys = bullKeys[script].split(' ').map((key) => (key === '*' ? 'P..job' : `P..'${key}'`))
  return `local function ${script}(ARGV,more,job)
local KEYS={${keys.join(',')}}
for i=1,more and #more or 0 do KEYS[#KEYS+1]=more[i] end
${bullTexts[script]}
end
`
}

/** What our scripts say for BullMQ's. */
const functions = {
  add: `${bull('addStandardJob')}local function add(data)
return addStandardJob({cmsgpack.pack({P,'','item',now}),data,cmsgpack.pack({attempts=1,removeOnComplete=true})})
end
`,
  addWith: `${bull('addDelayedJob')}${bull('addPrioritizedJob')}local function addWith(data,delay,priority,id)
local options={attempts=1,removeOnComplete=true}
local about={P,'','item',now}
if id~='' then
  options.de={id=id}
  about[9]=P..'de:'..id
end
if priority>0 then options.priority=priority end
if delay>0 then
  options.delay=delay
  about[4]=now+1
end
local one={cmsgpack.pack(about),data,cmsgpack.pack(options)}
if delay>0 then return addDelayedJob(one) end
return priority>0 and addPrioritizedJob(one) or addStandardJob(one)
end
`,
  // Somebody may have deleted a job and left its id in the line: BullMQ takes that for one without data. Returns false if there are so many that
  // the next call is to go on: Redis serves nobody else meanwhile.
  take: `${bull('moveToActive')}local function fetched(token)
for _=1,1000 do
  local r=moveToActive({P,now,cmsgpack.pack({token=token,lockDuration=${LOCK}})})
  local fields=type(r)=='table' and r[1]
  if type(fields)~='table' then return nil end
  local attempt,data
  for i=1,#fields,2 do
    if fields[i]=='ats' then attempt=fields[i+1] elseif fields[i]=='data' then data=fields[i+1] end
  end
  if data then
    redis.call('HSET',K.d,token,r[2])
    return r[2],attempt,data
  end
  redis.call('LREM',P..'active',0,r[2])
  forget(r[2])
  over(r[2])
end
return false
end
`,
  finish: `${bull('moveToFinished')}local function finish(token,job,target,keep,property,value)
return moveToFinished({job,now,property,value,target,'0',P,cmsgpack.pack({token=token,keepJobs={count=keep},lockDuration=${LOCK},attempts=1,maxMetricsSize='',fpof=false,cpof=false,idof=false,rdof=false})},{P..target,P..job,P..'metrics:'..target,P..'marker'})
end
`,
  later: `${bull('moveToDelayed')}local function later(token,job,delay)
return moveToDelayed({P,now+1,job,token,delay,'1','','0',''},nil,job)
end
`,
  again: `${bull('reprocessJob')}local function again(job)
return reprocessJob({job,'LPUSH','failedReason','failed','1','1'},nil,job)
end
`,
  back: `${bull('moveJobFromActiveToWait')}local function back(token,job)
return moveJobFromActiveToWait({job,token,P..job})
end
`,
} as const

interface Assembly {
  readonly bull: readonly (keyof typeof functions)[]
  /** The script's own arguments, by the names that it knows them by. */
  readonly arguments: readonly string[]
  readonly allowOom: boolean
}

/** Which script of ours; its file is `q-<script>.lua`. */
export type QueueScript = 'put' | 'fetch' | 'finish' | 'back' | 'reap' | 'retry' | 'wait'

const assemblies: Readonly<Record<QueueScript, Assembly>> = {
  put: {
    bull: ['add', 'addWith', 'take'],
    arguments: ['rid', 'maxSize', 'maxDeliveries', 'mode', 'confirmed', 'former', 'ahead', 'how', 'data'],
    allowOom: false,
  },
  fetch: { bull: ['take'], arguments: ['rid', 'mode', 'mine'], allowOom: true },
  finish: { bull: ['finish'], arguments: ['list', 'failed'], allowOom: true },
  back: { bull: ['back', 'later'], arguments: ['list', 'same', 'delay'], allowOom: true },
  retry: { bull: ['again'], arguments: ['job'], allowOom: false },
  reap: { bull: ['back', 'finish'], arguments: ['dead'], allowOom: true },
  wait: { bull: [], arguments: ['op', 'rid', 'arg', 'more'], allowOom: true },
}

export const queueScripts: readonly QueueScript[] = Object.keys(assemblies) as QueueScript[]

function file(name: string): string {
  return readFileSync(new URL(`../../scripts/${name}.lua`, import.meta.url), 'utf8')
}

/** What all scripts know the caller by. */
const common = ['self', 'wake', 'tag']

/** A script's whole text. BullMQ's functions come after `_queue`, whose names they use. */
export function scriptText(script: QueueScript): string {
  const { arguments: own, bull: wrapped } = assemblies[script]
  const named = [...common, ...own].map((argument, index) => `${argument}=ARGV[${index + 1}]`)
  const texts = wrapped.map((name) => functions[name])
  return `local A={${named.join(',')}}\n${file('_queue')}${texts.join('')}${file(`q-${script}`)}`
}

export function allowsOom(script: QueueScript): boolean {
  return assemblies[script].allowOom
}

/** What BullMQ's own keys of a queue begin with. @param base what all of its keys begin with */
export function keyPrefix(base: string): string {
  return `${base}:${BULL_NAME}:`
}
