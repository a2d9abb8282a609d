export function nothing(): void
export function double(value: number): number
