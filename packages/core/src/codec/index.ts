/** The one strict codec: what crosses processes, and how. Everything else in this folder is its inside. */
export { decode } from './decode.ts'
export { encode, encodeThrown } from './encode.ts'
export { registerError, withOrigin } from './error-codec.ts'
export type { ErrorClass } from './error-codec.ts'
export { decodeJson, encodeJson } from './json.ts'
export type { Attach } from './sink.ts'
