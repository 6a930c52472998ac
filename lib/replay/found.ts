/** What a replay found. */
import type { ShadowEffect } from '../authentication/shadow/difference.ts'

/** One client that a candidate would treat otherwise at one check. */
export interface ReplayedClient {
  /** The client; absent where the requests named none. */
  readonly client_id?: string | undefined
  /** The change for it. */
  readonly effect: ShadowEffect
  /** The check that makes the difference. */
  readonly check?: string | undefined
  /** The method it used last. */
  readonly method?: string | undefined
  /** The number of kept authentications that would end so. */
  readonly count: number
  /** The last of them, milliseconds since the epoch. */
  readonly last_seen: number
  /** The trace id of the last of them. */
  readonly trace_id: string
  /** The value the check asks for. */
  readonly expected?: string | undefined
  /** The value that came instead, last. */
  readonly received?: string | undefined
  /** One sentence on how to make the check pass. */
  readonly fix?: string | undefined
}

/** Outcome of judging kept authentications again. */
export interface ReplayReport {
  /** The clients that would be treated otherwise: those that would break come first, and of these the most frequent. */
  readonly clients: readonly ReplayedClient[]
  /** The number that was judged. */
  readonly judged: number
  /** The number of authentications of which too little was kept to judge them again: wrong secrets, say. */
  readonly not_judged: number
  /** The number of records that are none. */
  readonly unreadable: number
}
