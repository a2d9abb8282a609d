/**
 * The other programs that this one has to do with. Each pair has two links: over one, this program's broker serves the other as it
 * serves a process of its own; over the other, this program is the client. What lives and dies with one program (its processes, what
 * it runs for another, its objects without a name) is reached so by all others, and the end of a program is the end of its links.
 */
import { Buffer } from 'node:buffer'
import { ConnectionError } from '@skein/core'
import { type Broker, BrokerClient, type LinkEvents, reportDefect, type Session } from '@skein/core/adapter'
import type { SessionKeys } from '../program-session.ts'
import type { Script, Surround } from '../surround.ts'
import { Mailbox } from './mailbox.ts'
import { PeerLink } from './peer-link.ts'

/** The first byte of a message: for the receiver's broker, for the receiver as a client, or goodbye. */
const TO_BROKER = 0
const TO_CLIENT = 1
const BYE = 2

interface Peer {
  client: { readonly link: PeerLink; readonly broker: BrokerClient } | null
  guest: { readonly link: PeerLink; readonly session: Session } | null
}

/** Another program, and the way to its broker. */
export interface Other {
  readonly program: string
  readonly pid: number
  readonly host: string
  readonly client: BrokerClient
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
      broken: (sid) => this.#break(sid),
    })
    this.#stops = [
      around.deaths.onDeath((sids) => {
        for (const sid of sids) this.#end(sid, 'is dead')
      }),
      around.session.onLost(() => this.#lost()),
    ]
  }

  /** As a client of that program's broker. `null`: no such program lives. */
  async reach(program: string): Promise<BrokerClient | null> {
    const sid = await this.#find(program)
    return sid === null || this.#closed ? null : this.#client(sid)
  }

  /** Every other program of the namespace that is not known to be dead. */
  async others(): Promise<Other[]> {
    const { session, deaths } = this.#around
    const all = await this.#info.call([this.#keys.info], [])
    const dead = new Set(await deaths.deadOf(all.filter((_, at) => at % 2 === 0)))
    const found: Other[] = []
    for (let at = 0; at + 1 < all.length && !this.#closed; at += 2) {
      const sid = all[at] as string
      if (sid === session.sid || dead.has(sid)) continue
      const {
        program = sid,
        pid,
        host,
      } = JSON.parse(all[at + 1] as string) as Partial<Other> & Pick<Other, 'pid' | 'host'>
      found.push({ program, pid, host, client: this.#client(sid) })
    }
    return found
  }

  /** Says goodbye; what is held over there goes back at once. */
  async close(): Promise<void> {
    this.#closed = true
    for (const sid of this.#peers.keys()) this.#mailbox.send(sid, Buffer.from([BYE]))
    for (const sid of this.#peers.keys()) this.#drop(sid, 'has closed its context')
    for (const stop of this.#stops) stop()
    if (this.#timer !== null) clearTimeout(this.#timer)
    if (this.#around.store.state === 'connected') await this.#mailbox.flushed()
    this.#mailbox.close()
  }

  async #find(program: string): Promise<string | null> {
    const all = await this.#info.call([this.#keys.info], [])
    let found: { readonly sid: string; readonly since: number } | null = null
    for (let at = 0; at + 1 < all.length; at += 2) {
      const info = JSON.parse(all[at + 1] as string) as { readonly program?: string; readonly since: number }
      // Two of them: the later one is alive, and the other one not yet declared dead.
      if (info.program === program && (found === null || info.since > found.since))
        found = { sid: all[at] as string, since: info.since }
    }
    return found?.sid ?? null
  }

  #client(sid: string): BrokerClient {
    const peer = this.#peer(sid)
    if (peer.client !== null) return peer.client.broker
    let link: PeerLink | null = null
    const broker = new BrokerClient((events) => {
      link = new PeerLink(events, (bytes) => this.#send(sid, TO_BROKER, bytes))
      return link
    })
    peer.client = { link: link as unknown as PeerLink, broker }
    return broker
  }

  #guest(sid: string, peer: Peer): PeerLink {
    if (peer.guest !== null) return peer.guest.link
    const pid = Number.parseInt(sid.split('.')[1] ?? '', 36)
    const session = this.#broker.session({ id: sid, name: 'another program', pid, host: '' })
    const events: LinkEvents = {
      frame: (frame) => session.frame(frame),
      ended: () => this.#broker.end(session),
    }
    const link = new PeerLink(events, (bytes) => this.#send(sid, TO_CLIENT, bytes))
    session.connect(link)
    peer.guest = { link, session }
    return link
  }

  #peer(sid: string): Peer {
    let peer = this.#peers.get(sid)
    if (peer === undefined) {
      peer = { client: null, guest: null }
      this.#peers.set(sid, peer)
      this.#arm()
    }
    return peer
  }

  #send(sid: string, to: number, bytes: Buffer): void {
    this.#mailbox.send(sid, Buffer.concat([Buffer.from([to]), bytes]))
  }

  #received(sender: string, message: Buffer): void {
    if (this.#closed) return
    const bytes = message.subarray(1)
    try {
      if (message[0] === BYE) this.#end(sender, 'has closed its context')
      else if (message[0] === TO_BROKER) this.#guest(sender, this.#peer(sender)).deliver(bytes)
      else this.#peers.get(sender)?.client?.link.deliver(bytes)
    } catch (error) {
      // What follows cannot be understood without this one.
      reportDefect('a message of another program', error)
      this.#break(sender)
    }
  }

  /** Something between the two programs is lost: neither may wait for it. */
  #break(sid: string): void {
    this.#mailbox.send(sid, Buffer.from([BYE]))
    this.#drop(sid, 'has lost a message, or this one has')
  }

  #end(sid: string, how: string): void {
    if (!this.#peers.has(sid)) return
    this.#mailbox.forget(sid)
    this.#drop(sid, how)
  }

  #drop(sid: string, how: string): void {
    const peer = this.#peers.get(sid)
    this.#peers.delete(sid)
    peer?.client?.broker.close(new ConnectionError(`the program that keeps this ${how}`))
    peer?.guest?.link.close()
  }

  /** To the others this program is dead, though it may come back under another name: what it had with them is over. */
  #lost(): void {
    for (const sid of this.#peers.keys()) {
      this.#mailbox.forget(sid)
      this.#drop(sid, 'could not be reached for longer than sessionTtl')
    }
  }

  /** A program that ends in good order but cannot say so is in no register of the dead. */
  #arm(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      void this.#look()
    }, this.#around.beat)
  }

  async #look(): Promise<void> {
    this.#mailbox.look()
    try {
      for (const sid of await this.#around.deaths.deadOf([...this.#peers.keys()])) this.#end(sid, 'is gone')
    } catch {
      // Redis is away: the next look tells.
    }
    if (this.#peers.size > 0 && !this.#closed) this.#arm()
  }
}
