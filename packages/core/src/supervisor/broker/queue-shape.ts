/** What all who name a queue must agree on. */
import { ConflictError } from '../../errors.ts'

export interface QueueShape {
  /** Infinity: none. */
  readonly maxSize: number
  readonly maxDeliveries: number
}

/** @returns null: they are the same */
export function shapeConflict(label: string, is: QueueShape, asked: QueueShape): ConflictError | null {
  if (is.maxSize === asked.maxSize && is.maxDeliveries === asked.maxDeliveries) return null
  const shape = (one: QueueShape): string => `maxSize ${one.maxSize} and maxDeliveries ${one.maxDeliveries}`
  return new ConflictError(
    `${label} exists with ${shape(is)}, asked for with ${shape(asked)}; use the same options or another name`,
  )
}
