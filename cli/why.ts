/** `why`: what was decided about one request, by its trace id. */
import type { Check, Decision } from 'clientele'
import { answer, printable } from './answer.ts'
import { command, CommandError, type Terminal } from './command.ts'
import { linesOf } from './input.ts'
import { withSharedStore } from './store.ts'

export const why = command({
  arguments: ['TRACE_ID'],
  options: {
    log: { type: 'string', placeholder: 'FILE', help: 'the log of a server, or - for the standard input; left out: the store' },
    store: { type: 'string', placeholder: 'URL', help: 'the store of the servers; left out: STORE_URL' },
    format: { type: 'string', values: ['table', 'json'], default: 'table', help: 'how it answers' }
  },
  description: `Says why a client was refused, or tolerated: each check that failed, what was expected, what came, and what to do. The trace id is in
every line of the log, and in the traceparent of the request. The store has the decisions of the last day.`,
  async run({ arguments: [trace_id = ''], options, terminal }) {
    if (!/^[0-9a-f]{32}$/.test(trace_id)) throw new CommandError('TRACE_ID must be 32 hex digits')
    const decisions =
      options.log === undefined
        ? await fromStore(trace_id, options.store, terminal)
        : await fromLog(trace_id, options.log, terminal)
    if (decisions.length === 0) throw new CommandError('nothing is known of this trace id', 1)
    if (options.format === 'json') answer(terminal, 'json', { decisions }, [], '')
    else for (const decision of decisions) terminal.out(told(decision))
    return 0
  }
})

async function fromStore(id: string, url: string | undefined, terminal: Terminal): Promise<readonly Partial<Decision>[]> {
  const found = await withSharedStore(url, terminal, store => store.get({ kind: 'decision', id }))
  const decision = decisionIn(found?.value)
  return decision === undefined ? [] : [decision]
}

/** The lines of a log may be anything. */
async function fromLog(id: string, file: string, terminal: Terminal): Promise<readonly Partial<Decision>[]> {
  const found: Partial<Decision>[] = []
  for await (const line of linesOf(file, terminal, '--log must be the path of a readable file')) {
    if (!line.includes(id)) continue
    const decision = decisionOf(line)
    if (decision?.trace_id === id) found.push(decision)
  }
  return found
}

function decisionOf(line: string): Partial<Decision> | undefined {
  try {
    return decisionIn(JSON.parse(line))
  } catch {
    return undefined
  }
}

/** Whoever wrote it, members of a decision are what they are in one, or left out. */
function decisionIn(value: unknown): Partial<Decision> | undefined {
  if (typeof value !== 'object' || value === null || !('checks' in value) || !Array.isArray(value.checks)) return undefined
  const members = new Map(Object.entries(value))
  const texts = ['trace_id', 'endpoint', 'client_id', 'mechanism', 'method', 'credential', 'outcome'] as const
  const named = texts.flatMap(name => (typeof members.get(name) === 'string' ? [[name, members.get(name)] as const] : []))
  return { ...(Object.fromEntries(named) as Partial<Decision>), checks: value.checks.filter(isCheck) }
}

function isCheck(value: unknown): value is Check {
  if (typeof value !== 'object' || value === null) return false
  const { check, outcome, ...more } = value as Readonly<Record<string, unknown>>
  const isText = (one: unknown): boolean => one === undefined || typeof one === 'string'
  return (
    typeof check === 'string' &&
    typeof outcome === 'string' &&
    [more['section'], more['expected'], more['received'], more['fix']].every(isText)
  )
}

function told({ trace_id, endpoint, client_id, mechanism, method, outcome, checks = [] }: Partial<Decision>): string {
  const failed = checks.filter(check => check.outcome === 'fail' || check.outcome === 'report')
  return [
    `${printable(client_id ?? 'nobody')} was ${outcome ?? 'judged'} at ${endpoint ?? 'a route'}, by ${method ?? mechanism ?? 'no method'} (${trace_id ?? ''})`,
    ...failed.flatMap(lines),
    ''
  ].join('\n')
}

function lines({ check, section, expected, received, fix }: Check): readonly string[] {
  const say = (name: string, value: string | undefined) => (value === undefined ? [] : [`    ${name}: ${printable(value)}`])
  return [
    `  ${check}${section === undefined ? '' : ` (${section})`}`,
    ...say('expected', expected),
    ...say('received', received),
    ...say('fix', fix),
    `    more: docs/errors/${check}.md`
  ]
}
