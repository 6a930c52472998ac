/** An error a person reads: shown on the error page with its status, and with where they can go from there. */

/** A link that leads on. */
export interface Way {
  readonly text: string
  readonly href: string
}

export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly status: number
  /** Undefined: the person's own page. */
  readonly ways: readonly Way[] | undefined
  constructor(status: number, message: string, ways?: readonly Way[]) {
    super(message)
    this.status = status
    this.ways = ways
  }
}
