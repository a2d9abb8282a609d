/** This program's anonymous objects, written down beside its session so that others can clear them away after its death. */
import type { Owned, Store } from './surround.ts'

export class OwnedObjects implements Owned {
  readonly #store: Pick<Store, 'partOf'>
  readonly #keyFor: (sid: string) => string
  readonly #madeHere: (name: string) => boolean
  readonly #members = new Set<string>()
  #sid: string
  /** Whoever finds the list of a dead program deletes what stands there: those of this program's past, until they are surely gone. */
  readonly #former = new Set<string>()
  #refused = false

  /**
   * @param keyFor the key of a session's objects
   * @param madeHere whether a process of this program has made the object without a name: those of others are theirs to clear away
   */
  constructor(
    store: Pick<Store, 'partOf'>,
    keyFor: (sid: string) => string,
    sid: string,
    madeHere: (name: string) => boolean,
  ) {
    this.#store = store
    this.#keyFor = keyFor
    this.#madeHere = madeHere
    this.#sid = sid
  }

  /** Whether objects are left that nobody has deleted. */
  get any(): boolean {
    return this.#members.size > 0
  }

  has(kind: string, name: string): boolean {
    return this.#members.has(`${kind} ${name}`)
  }

  add(kind: string, name: string): void {
    const member = `${kind} ${name}`
    if (this.#members.has(member) || (name.startsWith('~') && !this.#madeHere(name))) return
    this.#members.add(member)
    void this.#send(['SADD', this.#keyFor(this.#sid), member])
  }

  remove(kind: string, name: string): void {
    const member = `${kind} ${name}`
    if (this.#members.delete(member)) void this.#send(['SREM', this.#keyFor(this.#sid), member])
  }

  /** Under the program's new session: the objects are as much its own as before. */
  rename(sid: string): void {
    this.#former.add(this.#sid)
    this.#sid = sid
    this.again()
  }

  /** The connection was lost, and with it perhaps what was on its way. */
  again(): void {
    if (this.#members.size > 0) void this.#send(['SADD', this.#keyFor(this.#sid), ...this.#members])
    for (const old of this.#former) void this.#forget(old)
  }

  /** Now and then: a full store may have room again. */
  beat(): void {
    if (!this.#refused) return
    this.#refused = false
    this.again()
  }

  async #forget(old: string): Promise<void> {
    if (await this.#send(['UNLINK', this.#keyFor(old)])) this.#former.delete(old)
  }

  /** @returns whether it was done */
  async #send([command, key, ...members]: readonly [string, string, ...string[]]): Promise<boolean> {
    try {
      await this.#store.partOf(key).client.call(command, [key, ...members])
      return true
    } catch {
      // Lost with its connection, or refused by a full store, which refuses the object's own first write as well.
      this.#refused = true
      return false
    }
  }
}
