/** As much of redlock as is used here: its package hides its own types from Node's way of resolving them. */
declare module 'redlock' {
  import type { EventEmitter } from 'node:events'
  import type { Redis } from 'ioredis'

  export interface Lock {
    release(): Promise<unknown>
  }

  export default class Redlock extends EventEmitter {
    constructor(clients: Iterable<Redis>)
    acquire(resources: string[], duration: number): Promise<Lock>
  }
}
