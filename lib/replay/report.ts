/** What a replay found, and how it is written for people and for programs. */
import type { ShadowEffect } from '../authentication/shadow/difference.ts'
import { printable } from '../printable.ts'

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

/** The ways a report can be written. */
export const replayFormats = ['text', 'json'] as const
/** One of them. */
export type ReplayFormat = (typeof replayFormats)[number]

const words = {
  would_break: 'would break',
  would_be_let_in: 'would be let in',
  other_reason: 'would be refused at another check',
  other_report: 'would be reported'
} as const

/** Writes a report: `text` for people, `json` as it is. */
export function formatReplay(report: ReplayReport, format: ReplayFormat): string {
  if (format === 'json') return `${JSON.stringify(report, null, 2)}\n`
  const { clients, judged, not_judged, unreadable } = report
  const breaking = new Set(clients.filter(({ effect }) => effect === 'would_break').map(({ client_id }) => client_id)).size
  const others = [`${not_judged} could not be`, ...(unreadable === 0 ? [] : [`${unreadable} lines are no records`])].join(', ')
  const sum = `${breaking} ${breaking === 1 ? 'client' : 'clients'} would break. ${judged} authentications were judged again, ${others}.\n`
  return [...clients.map(block), sum].join('\n')
}

function block({ client_id, effect, check = '', method, count, last_seen, ...detail }: ReplayedClient): string {
  const { trace_id, expected, received, fix } = detail
  const line = (name: string, value: string | undefined) => (value === undefined ? [] : [`    ${name}: ${printable(value)}`])
  return [
    `${printable(client_id ?? 'nobody')} ${words[effect]}: ${printable(check)} (${printable(method ?? 'no method')})`,
    `    ${count} times, last at ${new Date(last_seen).toISOString()}, trace ${printable(trace_id)}`,
    ...line('expected', expected),
    ...line('received', received),
    ...line('fix', fix),
    ''
  ].join('\n')
}
