/** A fault that can be put into a request. */
export interface Break {
  readonly id: string
  readonly label: string
  /** The check of the decision that fails, or the error that is answered. */
  readonly check: string
}
export const breaks: readonly Break[]
export function breaksFor(method: string, chosen: readonly string[]): readonly Break[]
