/**
 * The other programs that this one has to do with. What lives and dies with one program (its processes, what it runs for another, its
 * objects without a name) is reached through it by all others, and the end of a program is the end of the links to it.
 */
import { ProtocolError, StateError } from '@skein/core'
import { type Broker, type BrokerClient, reportDefect } from '@skein/core/adapter'
import type { SessionKeys } from '../program-session.ts'
import type { Script, Surround } from '../surround.ts'
import { Warnings } from '../warnings.ts'
import { type About, apart, readAbout, reasons } from './about.ts'
import { Mailbox } from './mailbox.ts'
import { isBye, Peer } from './peer.ts'

/** Another program, and the way to its broker. */
export interface Other extends Omit<About, 'sid' | 'since' | 'key'> {
  /** Or why there is no such way. */
  readonly client: BrokerClient | NonNullable<ReturnType<typeof apart>>
}

export interface PeersOptions {
  readonly around: Surround
  readonly keys: Pick<SessionKeys, 'inbox' | 'info'>
  readonly broker: Broker
}

export class Peers {
  readonly #around: Surround
  readonly #keys: Pick<SessionKeys, 'inbox' | 'info'>
  readonly #broker: Broker
  readonly #mailbox: Mailbox
  readonly #warnings = new Warnings()
  /** By their sids. */
  readonly #peers = new Map<string, Peer>()
  readonly #info: Script<readonly [], string[]>
  readonly #stops: readonly (() => void)[]
  #timer: NodeJS.Timeout | null = null
  #closed = false

  constructor({ around, keys, broker }: PeersOptions) {
    this.#around = around
    this.#keys = keys
    this.#broker = broker
    this.#info = around.store.script('programs', { text: `return redis.call('HGETALL', KEYS[1])`, readOnly: true })
    this.#mailbox = new Mailbox(around, keys, {
      received: (sender, message) => this.#received(sender, message),
      forged: (sid) =>
        this.#warnings.once(
          sid,
          `a message that says it is from program ${sid} is not signed with this program's SKEIN_SECRET, and was ignored`,
        ),
      broken: (sid, why) => this.#broken(sid, why),
    })
    this.#stops = [
      around.deaths.onDeath((sids) => {
        for (const sid of sids) this.#end(sid, 'is dead')
      }),
      around.session.onLost(() => this.#lost()),
    ]
  }

  /**
   * As a client of that program's broker. `null`: no such program lives.
   *
   * @throws ProtocolError, StateError if the two do not understand each other
   */
  async reach(program: string): Promise<BrokerClient | null> {
    const sid = await this.#find(program)
    return sid === null || this.#closed ? null : this.#peer(sid).client
  }

  /** By the sid. `null`: nobody who lives and understands this program has it. */
  async reachSession(sid: string): Promise<BrokerClient | null> {
    if (await this.#around.deaths.isDead(sid)) return null
    const known = this.#peers.has(sid) || (await this.#programs()).some((one) => one.sid === sid && !this.#apart(one))
    return known && !this.#closed ? this.#peer(sid).client : null
  }

  /** Every other program of the namespace that is not known to be dead. */
  async others(): Promise<Other[]> {
    const { session, deaths } = this.#around
    const all = await this.#programs()
    const dead = new Set(await deaths.deadOf(all.map(({ sid }) => sid)))
    if (this.#closed) return []
    return all
      .filter(({ sid }) => sid !== session.sid && !dead.has(sid))
      .map((one) => ({ ...one, client: this.#apart(one) ?? this.#peer(one.sid).client }))
  }

  /** Says goodbye; what is held over there goes back at once. */
  async close(): Promise<void> {
    this.#closed = true
    for (const peer of this.#peers.values()) peer.leave()
    this.#peers.clear()
    for (const stop of this.#stops) stop()
    if (this.#timer !== null) clearTimeout(this.#timer)
    if (this.#around.store.state === 'connected') await this.#mailbox.flushed()
    this.#mailbox.close()
  }

  async #find(program: string): Promise<string | null> {
    const named = (await this.#programs()).filter((one) => one.program === program)
    const understood = named.filter((one) => this.#apart(one) === null)
    // Two of them: the later one is alive, and the other one not yet declared dead.
    const [found] = (understood.length > 0 ? understood : named).toSorted((one, other) => other.since - one.since)
    if (found !== undefined) this.#checkUnderstood(found)
    return found?.sid ?? null
  }

  #checkUnderstood(about: About): void {
    const why = this.#apart(about)
    if (why === null) return
    const who = `program ${about.program} (pid ${about.pid} on ${about.host}), which keeps this, cannot be asked`
    const told = `${who}: ${reasons[why](about)}`
    throw why === 'foreign' ? new StateError(told) : new ProtocolError(`${told}; run versions of one protocol in both`)
  }

  #apart(about: About): ReturnType<typeof apart> {
    return apart(about, this.#around.seal?.id ?? null)
  }

  async #programs(): Promise<About[]> {
    const all = await this.#info.call([this.#keys.info], [])
    const found: About[] = []
    for (let at = 0; at + 1 < all.length; at += 2) {
      const about = readAbout(all[at] as string, all[at + 1] as string)
      if (about !== null) found.push(about)
    }
    return found
  }

  #peer(sid: string): Peer {
    let peer = this.#peers.get(sid)
    if (peer === undefined) {
      peer = new Peer({ sid, broker: this.#broker, send: (message) => this.#mailbox.send(sid, message) })
      this.#peers.set(sid, peer)
      this.#arm()
    }
    return peer
  }

  #received(sender: string, message: Buffer): void {
    if (this.#closed) return
    if (isBye(message)) {
      this.#end(sender, 'has closed its context')
      return
    }
    const peer = this.#peer(sender)
    try {
      peer.received(message)
    } catch (error) {
      reportDefect('a message of another program', error)
      peer.broken('has sent a message that cannot be read')
    }
  }

  #broken(sid: string, why: Error | null): void {
    if (this.#closed) return
    const how = why === null ? 'has lost a message, or this one has' : `could not be sent a message (${why.message})`
    this.#peer(sid).broken(how)
  }

  #end(sid: string, how: string, goesOn = false): void {
    const peer = this.#peers.get(sid)
    if (peer === undefined) return
    this.#peers.delete(sid)
    this.#mailbox.forget(sid)
    peer.end(how, goesOn)
  }

  /** To the others this program is dead, though it may come back under another name: what it had with them is over. */
  #lost(): void {
    for (const sid of this.#peers.keys()) this.#end(sid, 'could not be reached for longer than sessionTtl', true)
  }

  /** A program that ends in good order but cannot say so is in no register of the dead. */
  #arm(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      void this.#look()
    }, this.#around.beat)
  }

  async #look(): Promise<void> {
    this.#mailbox.beat()
    try {
      for (const sid of await this.#around.deaths.deadOf([...this.#peers.keys()])) this.#end(sid, 'is gone')
    } catch {
      // Redis is away: the next look tells.
    }
    if (this.#peers.size > 0 && !this.#closed) this.#arm()
  }
}
