export function increment(n: number): number
export function lengthOf(bytes: Uint8Array): number
export function hang(): Promise<never>
export function pid(): number
