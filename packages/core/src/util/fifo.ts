/** First in, first out, with give-back at the front. O(1) amortised at both ends. */
export class Fifo<T> {
  #front: T[] = []
  #back: T[] = []
  #head = 0

  get length(): number {
    return this.#front.length + this.#back.length - this.#head
  }

  push(item: T): void {
    this.#back.push(item)
  }

  /** Puts an item before all others. */
  unshift(item: T): void {
    this.#front.push(item)
  }

  peek(): T | undefined {
    return this.#front.length > 0 ? this.#front.at(-1) : this.#back[this.#head]
  }

  shift(): T | undefined {
    if (this.#front.length > 0) return this.#front.pop()
    if (this.#head === this.#back.length) return undefined
    const item = this.#back[this.#head]
    this.#head += 1
    if (this.#head === this.#back.length) {
      this.#back = []
      this.#head = 0
    } else if (this.#head >= 4096 && this.#head * 2 >= this.#back.length) {
      // Cut off what was taken, so that a queue that never runs empty does not grow for ever.
      this.#back = this.#back.slice(this.#head)
      this.#head = 0
    }
    return item
  }

  /** All items, first to last, which leaves the list empty. */
  drain(): T[] {
    const all = [...this.#front.toReversed(), ...this.#back.slice(this.#head)]
    this.#front = []
    this.#back = []
    this.#head = 0
    return all
  }

  /** Removes the items that fail the test. O(n). */
  keep(test: (item: T) => boolean): void {
    this.#back = this.drain().filter(test)
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (let at = this.#front.length - 1; at >= 0; at -= 1) yield this.#front[at] as T
    for (let at = this.#head; at < this.#back.length; at += 1) yield this.#back[at] as T
  }
}
