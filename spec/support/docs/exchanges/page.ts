/** What a page of docs/methods says of one method that was recorded: marked blocks, each made of what happened. */
import type { Decision } from 'clientele'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { diagramOf } from './diagram.ts'
import { api, type Answer, type Happening } from './exchange.ts'
import type { Fault } from './script.ts'

/** A fault, and what came of it. */
export interface Failure {
  readonly fault: Fault
  readonly answer: Answer
  readonly bytes: string
  readonly decision: Decision | undefined
  /** Everything that happened until it was refused. */
  readonly happened: readonly Happening[]
}

export interface Recording {
  /** Of the conversation that went well. */
  readonly happened: readonly Happening[]
  readonly failures: readonly Failure[]
}

const fenced = (language: string, text: string): string => `\`\`\`${language}\n${text.replaceAll('\r\n', '\n').trimEnd()}\n\`\`\``
const isOfApi = (bytes: string): boolean => bytes.includes(`Host: ${new URL(api).host}\r\n`)

/** The blocks of a page, by their names. */
export function blocksOf({ happened, failures }: Recording): Readonly<Record<string, string>> {
  const requests = happened.flatMap(one => (one.type === 'request' && !isOfApi(one.bytes) ? [one.bytes] : []))
  const decision = happened.flatMap(one => (one.type === 'decision' ? [one.decision] : [])).at(-1)
  const answers = happened.flatMap(one => (one.type === 'answer' ? [one.bytes] : []))
  return {
    exchange: fenced('mermaid', diagramOf(happened, 'billing')),
    request: [...requests.map(bytes => [fenced('http', bytes), ...takenApart(bytes)].join('\n\n')), ...presented(happened)].join(
      '\n\n'
    ),
    answer: fenced('http', answers.at(-2) ?? ''),
    decision: decision === undefined ? '' : fenced('json', spelled(decision)),
    failures: failuresTable(failures),
    refusals: failures.map(refusalOf).join('\n\n')
  }
}

/** One refusal, drawn; folded away, for there are as many as rows in the table. */
function refusalOf({ fault, decision, happened }: Failure): string {
  const failed = decision?.checks.find(({ outcome }) => outcome === 'fail')
  const stops = failed === undefined ? 'every check passes, and the grant is refused' : `stops at <code>${failed.check}</code>`
  const what = fault.what.replace(/[&<>]/g, sign => `&#${sign.charCodeAt(0)};`).replace(/`([^`]+)`/g, '<code>$1</code>')
  const diagram = fenced('mermaid', diagramOf(happened, 'billing'))
  return `<details>\n<summary>${what}: ${stops}</summary>\n\n${diagram}\n\n</details>`
}

/** What cannot be read at sight: credentials and JWTs. */
function takenApart(bytes: string): readonly string[] {
  const [head = '', body = ''] = bytes.split('\r\n\r\n')
  const headers = head.split('\r\n').flatMap(line => {
    const [name = '', value = ''] = line.split(': ')
    return value.startsWith('Basic ')
      ? [`\`${name}\`, decoded: \`${Buffer.from(value.slice(6), 'base64').toString()}\``]
      : jwtApart(`The header \`${name}\``, value)
  })
  return [...headers, ...[...new URLSearchParams(body)].flatMap(([name, value]) => jwtApart(`The parameter \`${name}\``, value))]
}

function jwtApart(what: string, value: string): readonly string[] {
  if (!/^eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+$/.test(value)) return []
  const parts = { header: decodeProtectedHeader(value), claims: decodeJwt(value) }
  return [`${what}, taken apart; its third part is the signature:`, fenced('json', JSON.stringify(parts, null, 2))]
}

/** The certificate of the connection. */
function presented(happened: readonly Happening[]): readonly string[] {
  const handshake = happened.find(one => one.type === 'handshake')
  if (handshake === undefined) return []
  const { subject, issuer, names } = handshake
  const lines = [`subject: ${subject}`, `issuer:  ${issuer}`, ...(names === undefined ? [] : [`names:   ${names}`])]
  return ['The certificate that the connection was opened with:', fenced('text', lines.join('\n'))]
}

/** One check a line. */
function spelled({ checks, ...rest }: Decision): string {
  const entries = Object.entries(rest).map(([name, value]) => `  "${name}": ${JSON.stringify(value)}`)
  const lines = checks.map(check => {
    const members = Object.entries(check).map(([name, value]) => `"${name}": ${JSON.stringify(value)}`)
    return `    { ${members.join(', ')} }`
  })
  return `{\n${entries.join(',\n')},\n  "checks": [\n${lines.join(',\n')}\n  ]\n}`
}

const cell = (text: string): string => text.replaceAll('|', '\\|')

function failuresTable(failures: readonly Failure[]): string {
  const rows = failures.map(({ fault, answer, decision }) => {
    const { error, error_description } = JSON.parse(answer.body) as Readonly<Record<string, string | undefined>>
    const failed = decision?.checks.find(({ outcome }) => outcome === 'fail')
    const check = failed === undefined ? 'none' : `[\`${failed.check}\`](../errors/${failed.check}.md)`
    const isUsual = answer.status === 401 && error === 'invalid_client'
    const advice = failed === undefined ? `${String(error_description)}.` : (failed.fix ?? '')
    return `| ${[fault.what, isUsual ? check : `${check}: ${answer.status} \`${String(error)}\``, advice].map(cell).join(' | ')} |`
  })
  const refusal = failures.find(({ answer }) => answer.status === 401)?.bytes ?? ''
  return [
    ['| what is wrong | the check that fails | what the record says |', '| --- | --- | --- |', ...rows].join('\n'),
    'Where the table names no other answer, this is what the client hears, whichever check it was:',
    fenced('http', refusal)
  ].join('\n\n')
}

const mark = (name: string): string => `<!-- recorded: ${name} -->`
const end = '<!-- end of recording -->'

/** The blocks of a page as it is. */
export function blocksIn(page: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...page.matchAll(/^<!-- recorded: (\w+) -->\n([^]*?)^<!-- end of recording -->$/gm)].map(([, name = '', block = '']) => [
      name,
      block.trim()
    ])
  )
}

/** The page with other blocks. What is new in values alone stays as it was: nobody has to read it again. */
export function withBlocks(page: string, blocks: Readonly<Record<string, string>>): string {
  const before = blocksIn(page)
  return Object.entries(blocks).reduce((text, [name, block]) => {
    if (before[name] === undefined || structureOf(before[name]) === structureOf(block)) return text
    return text.replace(
      `${mark(name)}\n${before[name] === '' ? '' : `\n${before[name]}\n\n`}${end}`,
      () => `${mark(name)}\n\n${block}\n\n${end}`
    )
  }, page)
}

const volatile = 'x|y|jti|kid|nonce|challenge|ath|trace_id|attestation_challenge|credential'

/** A block without the values that are others each time: keys, signatures, identifiers. */
export function structureOf(block: string): string {
  return block
    .replace(/\beyJ[\w-]+\.[\w-]+\.[\w-]+/g, 'JWT')
    .replace(new RegExp(`"(${volatile})":( ?)"[^"]*"`, 'g'), '"$1":$2"…"')
    .replace(/\b(code=)[\w.-]+(?=&)/g, '$1…')
    .replace(/^(DPoP-Nonce|OAuth-Client-Attestation-Challenge|Content-Length|ETag): .*$/gm, '$1: …')
}
