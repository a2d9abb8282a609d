/** Programs that run processes for others. */

/** What a host says of itself, or what a start asks of its host: `{ gpu: 'yes' }`. */
export type Labels = Readonly<Record<string, string>>
