/**
 * The pages an operator opens to see why: every authentication, one of them whole, what is refused most, and who would
 * break.
 */
import { Router, type Request, type RequestHandler } from 'express'
import type { AuthorizationServer, Check } from 'clientele'
import { HttpError } from '../http-error.ts'
import { operatorOf, type OperatorPagesOptions } from '../people/operators.ts'
import { sendPage } from '../views.ts'
import type { KeptDecision, KeptDecisions } from './kept.ts'

interface DecisionPagesOptions extends OperatorPagesOptions {
  readonly server: AuthorizationServer
  readonly kept: KeptDecisions
  readonly withSession: RequestHandler
}

/** Most decisions that one page lists. */
const mostListed = 100
/** Seconds until the list is asked for again. */
const refresh = 10

/** `/decisions` and `/decisions/<trace id>` of an issuer. */
export function decisionPages(options: DecisionPagesOptions): Router {
  const { base, kept, server, withSession } = options
  const router = Router({ caseSensitive: true })
  router.get(`${base}/decisions`, withSession, async (req, res) => {
    if (operatorOf(req, res, 'decisions', options) === undefined) return
    const all = await kept.recent()
    const filters = filtersOf(req)
    const found = all.filter(decision => matches(decision, filters))
    const isLive = req.query['live'] === 'on'
    sendPage(res, 'decisions', {
      ...{ base, title: 'Decisions', wide: true, filters, isLive, total: found.length },
      ...(isLive && { refresh }),
      choices: choicesOf(all),
      refusals: refusalsByCheck(found),
      breaking: server.whoWouldBreak().map(({ last_seen, ...one }) => ({ ...one, last_seen: moment(last_seen) })),
      decisions: found.slice(0, mostListed).map(onPage)
    })
  })
  router.get(`${base}/decisions/:trace_id`, withSession, async (req, res) => {
    if (operatorOf(req, res, 'decisions', options) === undefined) return
    const decisions = (await kept.recent()).filter(({ trace_id }) => trace_id === req.params['trace_id'])
    if (decisions.length === 0)
      throw new HttpError(404, 'No decision of this trace is kept.', [{ text: 'All decisions', href: `${base}/decisions` }])
    sendPage(res, 'decision', { base, title: 'One decision', wide: true, decisions: decisions.map(onPage) })
  })
  return router
}

interface Filters {
  readonly client: string
  readonly method: string
  readonly check: string
  readonly outcome: string
}

function filtersOf(req: Request): Filters {
  const text = (name: string): string => {
    const value = req.query[name]
    return typeof value === 'string' ? value.slice(0, 512) : ''
  }
  return { client: text('client'), method: text('method'), check: text('check'), outcome: text('outcome') }
}

/** The check that decided, or that was let through. */
function decidingOf({ checks }: KeptDecision): Check | undefined {
  return checks.find(({ outcome }) => outcome === 'fail') ?? checks.find(({ outcome }) => outcome === 'report')
}

function matches(decision: KeptDecision, { client, method, check, outcome }: Filters): boolean {
  return (
    (client === '' || decision.client_id === client) &&
    (method === '' || decision.method === method) &&
    (outcome === '' || decision.outcome === outcome) &&
    (check === '' || decision.checks.some(one => one.check === check && (one.outcome === 'fail' || one.outcome === 'report')))
  )
}

/** Lists the values to filter by, 200 of a kind at most. */
function choicesOf(all: readonly KeptDecision[]) {
  const distinct = (values: readonly (string | undefined)[]): readonly string[] =>
    [...new Set(values.filter(value => value !== undefined))].toSorted().slice(0, 200)
  return {
    method: distinct(all.map(({ method }) => method)),
    check: distinct(all.map(decision => decidingOf(decision)?.check)),
    outcome: ['authenticated', 'refused']
  }
}

/** Refusals by the check that decided, the most frequent first, each with the length of its bar in percent. */
function refusalsByCheck(decisions: readonly KeptDecision[]) {
  const counts = new Map<string, number>()
  for (const decision of decisions) {
    if (decision.outcome !== 'refused') continue
    const check = decidingOf(decision)?.check ?? 'unknown'
    counts.set(check, (counts.get(check) ?? 0) + 1)
  }
  const rows = [...counts].toSorted(([, one], [, other]) => other - one)
  const most = rows[0]?.[1] ?? 1
  return rows.map(([check, count]) => ({ check, count, width: Math.max(1, Math.round((count / most) * 100)) }))
}

function onPage(decision: KeptDecision) {
  return { ...decision, when: moment(decision.at), deciding: decidingOf(decision)?.check ?? '' }
}

/** The server does not know where the operator is. */
function moment(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}
