/** What is shown: elements, the request as it goes over the wire, the decision, the answer. */

/** An element with properties, and what it holds. */
export function el(name, properties = {}, ...children) {
  const element = document.createElement(name)
  for (const [property, value] of Object.entries(properties)) {
    if (property in element) element[property] = value
    else element.setAttribute(property, value)
  }
  element.append(...children.filter(child => child !== undefined))
  return element
}

/** A request as it goes over the wire. */
export function rawHttp({ method, url, headers, body }) {
  const { host, pathname, search } = new URL(url)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  return [`${method} ${pathname}${search} HTTP/1.1`, `host: ${host}`, ...lines, '', (body ?? '').replaceAll('&', '\n&')].join(
    '\n'
  )
}

const quoted = text => `'${String(text).replaceAll("'", "'\\''")}'`

/** A command that does the same. */
export function curl({ method, url, headers, body }, certificate) {
  const parts = [`curl -sS -X ${method} ${quoted(url)}`]
  if (certificate?.cert !== undefined) parts.push('--cacert data/demo/ca.crt --cert client.crt --key client.key')
  for (const [name, value] of Object.entries(headers)) parts.push(`-H ${quoted(`${name}: ${value}`)}`)
  if (body !== undefined) parts.push(`--data ${quoted(body)}`)
  return parts.join(' \\\n  ')
}

const marks = { pass: '✓', fail: '✗', skipped: '–', report: '!' }
const outcomes = { pass: 'passed', fail: 'failed', skipped: 'not reached', report: 'failed and let through' }

/** The decision, check by check. */
export function decisionView(decision) {
  if (decision === undefined) return [el('p', { className: 'quiet' }, 'No client was to be authenticated here.')]
  const facts = [
    ['Method', decision.method],
    ['Mechanism', decision.mechanism],
    ['Credential', decision.credential],
    ['Trace', decision.trace_id]
  ].filter(([, value]) => value !== undefined)
  return [
    el('p', { className: `outcome ${decision.outcome}` }, decision.outcome === 'refused' ? 'Refused' : 'Authenticated'),
    el('dl', {}, ...facts.flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, el('code', {}, value))])),
    el('ol', { className: 'checks' }, ...decision.checks.map(checkView))
  ]
}

function checkView({ check, outcome, section, expected, received, fix }) {
  const details = [
    expected === undefined ? undefined : el('p', {}, 'Expected ', el('code', {}, expected)),
    received === undefined ? undefined : el('p', {}, 'Received ', el('code', {}, received)),
    fix === undefined ? undefined : el('p', { className: 'fix' }, fix),
    outcome === 'fail' ? el('p', {}, el('a', { href: `playground/errors/${check}` }, `About ${check}`)) : undefined
  ]
  const item = el(
    'li',
    { className: outcome },
    el('span', { className: 'tick', 'aria-hidden': 'true' }, marks[outcome]),
    el('strong', {}, check),
    el('span', { className: 'unseen' }, ` ${outcomes[outcome]}`),
    section === undefined ? undefined : el('span', { className: 'quiet' }, ` ${section}`),
    ...details
  )
  item.dataset.check = check
  return item
}

/** A JWT, decoded, beside one sentence on its signature. */
export function tokenView(name, { header, claims }, verdict) {
  return el(
    'details',
    { open: name === 'access_token' },
    el('summary', {}, name),
    el('p', { className: 'verdict' }, verdict),
    el(
      'pre',
      { tabIndex: 0, 'aria-label': `${name}, decoded` },
      `${JSON.stringify(header, null, 2)}\n${JSON.stringify(claims, null, 2)}`
    )
  )
}

/** Status, headers and body. */
export function answerView({ status, headers, text, body }) {
  const shown = body === undefined ? text : JSON.stringify(body, null, 2)
  const kept = ['content-type', 'cache-control', 'www-authenticate', 'dpop-nonce', 'location'].filter(
    name => headers[name] !== undefined
  )
  const head = [`HTTP/1.1 ${status}`, ...kept.map(name => `${name}: ${headers[name]}`)].join('\n')
  return el('pre', { tabIndex: 0, 'aria-label': 'Answer' }, `${head}\n\n${shown}`)
}
