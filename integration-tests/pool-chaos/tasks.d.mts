export function work(path: string, item: number): number | Promise<number>
