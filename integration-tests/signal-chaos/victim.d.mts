export function victim(role: string, name: string, path: string, history?: string): Promise<void>
