import type { Queue } from '@skein/core'

export interface Noted {
  readonly log: string
  readonly line: string
  readonly milliseconds: number
}

export function quick(value: number): number
export function slow(milliseconds: number): number
export function saySlow(said: Queue<number>, milliseconds: number): Promise<void>
export function noted(task: Noted): string
export function large(bytes: number): Uint8Array
export function exitAt(value: number, fatal: number): number
export function wait(milliseconds: number): Promise<void>
export function sayThenBeSlow(seen: Queue<number>, which: number, milliseconds: number): Promise<void>
