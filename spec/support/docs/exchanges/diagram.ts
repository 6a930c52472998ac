/** A sequence diagram of what happened. */
import { api, issuer, mtlsHost, readAnswer, type Happening } from './exchange.ts'

/** In characters: a diagram has to fit beside a page's contents. */
const widest = 34
const marks = { pass: '✓', fail: '✗', report: '(reported)', skipped: '' }

interface Drawing {
  readonly participants: Map<string, string>
  readonly lines: string[]
  /** Whether the request under way is one of the API's. */
  isAtApi: boolean
  /** Whether it is a browser's. */
  isInBrowser: boolean
}

/** Mermaid, which GitHub draws, and the site. */
export function diagramOf(happened: readonly Happening[], client: string): string {
  const drawing: Drawing = {
    participants: new Map([
      ['C', client],
      ['S', new URL(issuer).host]
    ]),
    lines: [],
    isAtApi: false,
    isInBrowser: false
  }
  for (const [index, one] of happened.entries()) {
    const before = happened[index - 1]
    if (one.type === 'store' && isSame(one, before)) continue
    draw(one, drawing)
  }
  // a browser stands between the two
  const { B: browser, ...others } = Object.fromEntries(drawing.participants)
  const inOrder = { C: client, ...(browser !== undefined && { B: browser }), ...others }
  const participants = Object.entries(inOrder).map(([name, label]) => `participant ${name} as ${label}`)
  return ['sequenceDiagram', ...[...participants, ...drawing.lines].map(line => `  ${line}`)].join('\n')
}

/** Reading the same kind of record again says nothing new. */
const isSame = (one: Happening, other: Happening | undefined): boolean => JSON.stringify(one) === JSON.stringify(other)

function draw(one: Happening, drawing: Drawing): void {
  const { lines, participants } = drawing
  const server = drawing.isAtApi ? 'A' : 'S'
  if (one.type === 'handshake') {
    lines.push(`C->>S: TLS handshake, certificate of<br/>${one.names ?? one.subject}<br/>by ${one.issuer}`)
  } else if (one.type === 'request' && one.bytes.startsWith('GET /oauth2/authorize')) {
    participants.set('B', 'a browser')
    drawing.isInBrowser = true
    lines.push('C->>B: leads the person there', `B->>S: ${requestLines(one.bytes).join('<br/>')}`)
  } else if (one.type === 'answer' && drawing.isInBrowser) {
    drawing.isInBrowser = false
    const location = new URL(readAnswer(one.bytes).headers.get('location') ?? '')
    lines.push(`S-->>B: ${answerLines(one.bytes).join('<br/>')}`)
    lines.push(`B->>C: GET ${location.pathname}<br/>${[...location.searchParams.keys()].map(name => `${name}=…`).join('&')}`)
  } else if (one.type === 'request') {
    drawing.isAtApi = one.bytes.includes(`Host: ${new URL(api).host}\r\n`)
    if (drawing.isAtApi) participants.set('A', new URL(api).host)
    lines.push(`C->>${drawing.isAtApi ? 'A' : 'S'}: ${requestLines(one.bytes).join('<br/>')}`)
  } else if (one.type === 'answer') {
    const { status } = readAnswer(one.bytes)
    lines.push(`${server}--${status >= 400 ? 'x' : '>>'}C: ${answerLines(one.bytes).join('<br/>')}`)
  } else if (one.type === 'fetch') {
    const { host, pathname } = new URL(one.url)
    const known = [...participants].find(([, label]) => label === host)?.[0]
    const name = known ?? `F${[...participants.keys()].filter(key => key.startsWith('F')).length + 1}`
    participants.set(name, host)
    lines.push(`S->>${name}: GET ${pathname}`, `${name}-->>S: ${one.isFound ? '200 OK' : '404 Not Found'}`)
  } else if (one.type === 'store') {
    // how the API looks at tokens is another subject
    if (drawing.isAtApi) return
    participants.set('D', 'store')
    lines.push(`S->>D: ${one.operation} ${one.kind}<br/>${one.came}`)
  } else {
    const checks = one.decision.checks.flatMap(({ check, outcome }) =>
      outcome === 'skipped' ? [] : [`${check} ${marks[outcome]}`]
    )
    lines.push(`Note over S: ${filled(checks, ' · ').join('<br/>')}`)
  }
}

const secrets = new Set(['client_secret', 'code'])
const silent = /^(?:Host|Content-Type|Content-Length|Connection)$/
/** A value, cut to what is left of the line. */
function short(name: string, value: string): string {
  const room = Math.max(8, widest - name.length - 2)
  if (value.length <= room) return value
  if (value.startsWith('eyJ')) return 'eyJ…'
  return value.startsWith('urn:') ? `…${value.slice(value.lastIndexOf(':'))}` : `${value.slice(0, room - 1)}…`
}

/** As many on each line as it takes. */
function filled(words: readonly string[], between: string): readonly string[] {
  return words.reduce<string[]>((rows, word) => {
    const row = rows.at(-1)
    if (row === undefined || row.length + between.length + word.length > widest) return [...rows, word]
    return [...rows.slice(0, -1), `${row}${between}${word}`]
  }, [])
}

function requestLines(bytes: string): readonly string[] {
  const [head = '', body = ''] = bytes.split('\r\n\r\n')
  const [first = '', ...fields] = head.split('\r\n')
  const [method = '', target = ''] = first.split(' ')
  const { pathname, searchParams } = new URL(target, issuer)
  const isMutual = fields.includes(`Host: ${mtlsHost}`)
  const headers = fields.flatMap(field => {
    const [name = '', value = ''] = field.split(': ')
    const [scheme, credential] = value.split(' ')
    if (silent.test(name)) return []
    return [
      `${name}: ${credential === undefined ? short(name, value) : `${String(scheme)} ${short(`${name} ${String(scheme)}`, credential)}`}`
    ]
  })
  const parameters = [...searchParams, ...new URLSearchParams(body)].map(
    ([name, value]) => `${name}=${secrets.has(name) ? '…' : short(name, value)}`
  )
  return [`${method} ${isMutual ? mtlsHost : ''}${pathname}`, ...headers, ...parameters]
}

function answerLines(bytes: string): readonly string[] {
  const { headers, body } = readAnswer(bytes)
  const [first = ''] = bytes.split('\r\n')
  const line = first.replace('HTTP/1.1 ', '')
  const location = headers.get('location')
  if (location !== null) return [line, `Location: ${short('Location', location)}`]
  const members = JSON.parse(body === '' ? '{}' : body) as Readonly<Record<string, unknown>>
  const said = 'error' in members ? [String(members['error'])] : filled(Object.keys(members), ', ')
  return [line, ...said]
}
