/**
 * What the masters said to each attempt at the lock, read from the bytes between them and the programs: which votes were split, and how
 * long it took until somebody had a majority.
 */
import { createHash } from 'node:crypto'
import type { Tap } from '../support/proxy.ts'
import { parse, type Reply } from '../support/resp.ts'

/** A time in which contenders had votes and none had a majority. */
export interface Split {
  /** Milliseconds from the first of these votes until somebody had a majority. */
  readonly took: number
  /** Of programs that were killed or stopped meanwhile, whose votes have to run out, or of masters of which most had no vote. */
  readonly excused: boolean
}

interface Program {
  readonly connections: Set<Connection>
  /** When it last asked for anything; when it last began to after a silence. */
  heard: number
  woke: number
}

interface Connection {
  readonly master: number
  /** One that is no business of ours. */
  deaf: boolean
  program: Program | null
  asked: string
  answered: string
  readonly pending: Request[]
}

type Step = 'acquire' | 'extend' | 'release'

interface Request {
  readonly step: Step | null
  readonly value: string
}

interface Attempt {
  readonly began: number
  readonly program: Program
  readonly yes: Set<number>
  /** By master: which value is there; '': none, it has no vote yet. */
  readonly no: Map<number, string>
  /** Won, or given up. */
  over: boolean
}

interface Kept {
  readonly value: string
  readonly until: number
}

const NOTHING: Kept = { value: '', until: 0 }

interface Episode {
  readonly began: number
  /** Whose votes were in the way. */
  readonly programs: Set<Program>
  fewMasters: boolean
}

/** By what is in no other script. */
const SCRIPTS: readonly (readonly [Step, string])[] = [
  ['acquire', 'uptime_in_seconds'],
  ['extend', `redis.call('pexpire', KEYS[1]`],
  ['release', `redis.call('del', KEYS[1])`],
]

export class Votes {
  readonly #lease: number
  readonly #majority: number
  readonly #steps = new Map<string, Step>()
  readonly #attempts = new Map<string, Attempt>()
  /** By master, the value that it keeps, and until when it may. */
  readonly #kept: Kept[]
  /** The same of what it was asked for last by a connection that ended before the answer. */
  readonly #unheard: Kept[]
  /** When each master may vote; `Infinity`: it is away. */
  readonly #votesFrom: number[]
  /** Values that had a majority, and until when they may have it. */
  readonly #held = new Map<string, number>()
  readonly #splits: Split[] = []
  #episode: Episode | null = null

  /** @param lease in ms */
  constructor(masters: number, lease: number) {
    this.#lease = lease
    this.#majority = Math.floor(masters / 2) + 1
    this.#kept = Array.from({ length: masters }, () => NOTHING)
    this.#unheard = Array.from({ length: masters }, () => NOTHING)
    this.#votesFrom = Array.from({ length: masters }, () => 0)
  }

  get splits(): readonly Split[] {
    return this.#splits
  }

  get attempts(): number {
    return this.#attempts.size
  }

  away(master: number): void {
    this.#votesFrom[master] = Number.POSITIVE_INFINITY
    this.#episodeLooks()
  }

  /** @param votesAfter in ms */
  back(master: number, votesAfter: number, empty: boolean): void {
    this.#votesFrom[master] = performance.now() + votesAfter
    if (empty) this.#kept[master] = this.#unheard[master] = NOTHING
    // It reads only now what it was sent while it stood still.
    const { value } = this.#unheard[master] ?? NOTHING
    if (value !== '') this.#unheard[master] = this.#from(value)
  }

  /** For the proxy in front of one master. */
  tap(master: number): Tap {
    const connections = new Map<number, Connection>()
    const of = (number: number): Connection => {
      const known = connections.get(number)
      if (known !== undefined) return known
      const made: Connection = { master, deaf: false, program: null, asked: '', answered: '', pending: [] }
      connections.set(number, made)
      return made
    }
    return {
      asked: (number, bytes) => {
        const connection = of(number)
        if (connection.deaf) return
        connection.asked += bytes.toString('latin1')
        connection.asked = each(connection.asked, (request) => this.#asked(connection, request))
      },
      answered: (number, bytes) => {
        const connection = of(number)
        if (connection.deaf) return
        connection.answered += bytes.toString('latin1')
        connection.answered = each(connection.answered, (reply) => this.#answered(connection, reply))
      },
      ended: (number) => {
        const connection = of(number)
        connections.delete(number)
        connection.program?.connections.delete(connection)
        const unheard = connection.pending.findLast(({ step }) => step === 'acquire' || step === 'extend')
        if (unheard !== undefined) this.#unheard[master] = this.#from(unheard.value)
      },
    }
  }

  #asked(connection: Connection, request: Reply | Error): void {
    const [command = '', what = '', name = '', , value = ''] = Array.isArray(request) ? request.map(String) : []
    const word = command.toUpperCase()
    if (word === 'SUBSCRIBE' || (/^setname$/i.test(what) && !name.endsWith(':locks'))) {
      connection.deaf = true
      return
    }
    const { program } = connection
    const now = performance.now()
    if (program !== null) {
      if (now - program.heard > this.#lease / 2) program.woke = now
      program.heard = now
    }
    const step = this.#stepOf(word, what)
    connection.pending.push({ step, value })
    if (step === 'acquire') this.#begins(connection, value)
    // After an attempt that failed, or what had it is given back.
    if (step === 'release') {
      this.#failed(value)
      this.#held.delete(value)
    }
  }

  #stepOf(word: string, what: string): Step | null {
    if (word === 'EVALSHA') return this.#steps.get(what) ?? null
    if (word !== 'EVAL') return null
    const step = SCRIPTS.find(([, mark]) => what.includes(mark))?.[0]
    if (step === undefined) return null
    // From now on only its digest is sent.
    this.#steps.set(createHash('sha1').update(what, 'latin1').digest('hex'), step)
    return step
  }

  #begins(connection: Connection, value: string): void {
    const now = performance.now()
    const attempt = this.#attempts.get(value) ?? {
      began: now,
      program: connection.program ?? { connections: new Set<Connection>(), heard: now, woke: 0 },
      yes: new Set<number>(),
      no: new Map<number, string>(),
      over: false,
    }
    this.#attempts.set(value, attempt)
    connection.program ??= attempt.program
    connection.program.connections.add(connection)
  }

  #answered(connection: Connection, reply: Reply | Error): void {
    const { step, value } = connection.pending.shift() ?? { step: null, value: '' }
    const { master } = connection
    if (step === null || typeof reply !== 'number') return
    if (step === 'release') {
      for (const kept of [this.#kept, this.#unheard]) if (kept[master]?.value === value) kept[master] = NOTHING
      return
    }
    if (reply === 1) this.#kept[master] = this.#from(value)
    if (step === 'extend') {
      if (this.#held.has(value)) this.#held.set(value, performance.now() + this.#lease)
      return
    }
    const attempt = this.#attempts.get(value)
    if (attempt === undefined) return
    if (reply !== 1) attempt.no.set(master, this.#valueAt(master))
    else if (attempt.yes.add(master).size === this.#majority) this.#won(attempt, value)
  }

  #from(value: string): Kept {
    return { value, until: performance.now() + this.#lease }
  }

  #valueAt(master: number): string {
    const all = [this.#kept[master], this.#unheard[master]]
    return all.find((one) => one !== undefined && one.until > performance.now())?.value ?? ''
  }

  #won(attempt: Attempt, value: string): void {
    const now = performance.now()
    attempt.over = true
    this.#held.set(value, now + this.#lease)
    const episode = this.#episode
    this.#episode = null
    if (episode === null) return
    const gone = [...episode.programs].some(
      ({ connections, heard, woke }) => connections.size === 0 || now - heard > this.#lease / 2 || woke > episode.began,
    )
    this.#splits.push({ took: now - episode.began, excused: gone || episode.fewMasters })
  }

  #failed(value: string): void {
    const attempt = this.#attempts.get(value)
    if (attempt === undefined || attempt.over) return
    attempt.over = true
    const { yes, no, began } = attempt
    if (yes.size === 0 || yes.size + no.size < this.#majority) return
    const now = performance.now()
    const others = [...no.values()]
    // Refused because somebody has it.
    if (others.some((other) => (this.#held.get(other) ?? 0) > now)) return
    this.#episode ??= { began, programs: new Set(), fewMasters: false }
    for (const other of others) {
      const owner = this.#attempts.get(other)?.program
      if (owner !== undefined) this.#episode.programs.add(owner)
    }
    this.#episodeLooks()
  }

  #episodeLooks(): void {
    const now = performance.now()
    const voting = this.#votesFrom.filter((from) => from <= now).length
    if (this.#episode !== null && voting < this.#majority) this.#episode.fewMasters = true
  }
}

/** Hands on all that is whole, and gives what is not. */
function each(text: string, told: (value: Reply | Error) => void): string {
  let at = 0
  for (;;) {
    const got = parse(text, at)
    if (got === null) return text.slice(at)
    told(got.value)
    at = got.next
  }
}
