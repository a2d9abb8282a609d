/** For those who write an adapter: the contract, and the parts of core that every adapter stands on. */
export type * from './contract/adapter.ts'
export { type Handle, type HandleKind, type HandleRef, handleRef } from './contract/handle.ts'
export { decode, decodeJson, encode, encodeJson, encodeThrown } from './codec/index.ts'
export type * from './contract/fleet.ts'
export { consume } from './queue/consume.ts'
export { iterate } from './queue/iterate.ts'
