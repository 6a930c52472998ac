/** What a replay found, written for people and for programs. */
import { printable } from '../printable.ts'
import type { ReplayedClient, ReplayReport } from './found.ts'

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
