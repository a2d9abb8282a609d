export type Shape =
  | { readonly kind: 'circle'; readonly radius: number }
  | { readonly kind: 'square'; readonly side: number }

export function describe(shape: Shape): string {
  return shape.kind === 'circle' ? (Math.PI * shape.radius ** 2).toFixed(2) : (shape.side ** 2).toFixed(2)
}
