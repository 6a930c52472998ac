/** Dates of credentials. */

/** When something may be used. Seconds since the epoch; absent: from ever, for ever. */
export interface Dated {
  /** Before this second it is refused. */
  readonly not_before?: number | undefined
  /** From this second on it is refused. */
  readonly expires_at?: number | undefined
}

/** @param now seconds since the epoch. */
export function isLive({ not_before, expires_at }: Dated, now: number): boolean {
  return (not_before === undefined || now >= not_before) && (expires_at === undefined || now < expires_at)
}
