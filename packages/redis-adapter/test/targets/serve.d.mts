export function first(): void
