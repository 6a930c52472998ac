/** An error a person reads: shown on the error page with its status, and with where they can go from there. */

/** A link that leads on. */
export interface Way {
  readonly text: string
  readonly href: string
}

/** The way back to a page whose form is none any more. */
export function openAgain(page: string): readonly Way[] {
  return [{ text: 'Open the page again', href: page }]
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
