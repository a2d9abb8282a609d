export function victim(role: string, name: string, path: string): Promise<void>
