/** The reference of options, made of what the source says: the doc comment of each, its type, and its check. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { clientMetadata, type MetadataMember } from '../../../lib/clients/metadata/metadata.ts'
import { takers, type OptionsTaker } from './options-takers.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

interface Option {
  readonly name: string
  readonly type: string
  readonly text: string
}

/** Every interface of the library with its own members, and the names of those it extends. */
const interfaces = new Map<string, ts.InterfaceDeclaration>()

for (const file of readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' })) {
  if (!file.endsWith('.ts')) continue
  const path = join(root, 'lib', file)
  const source = ts.createSourceFile(path, ts.sys.readFile(path) ?? '', ts.ScriptTarget.ESNext, true)
  source.forEachChild(node => {
    if (ts.isInterfaceDeclaration(node) && !interfaces.has(node.name.text)) interfaces.set(node.name.text, node)
  })
}

/** The names of the public interfaces of options. */
export const optionInterfaces: readonly string[] = [...interfaces].flatMap(([name, node]) =>
  name.endsWith('Options') && node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true ? [name] : []
)

/** The members of an interface: those it extends first, unless they have a section of their own. */
function optionsOf(name: string, own: boolean): readonly Option[] {
  const node = interfaces.get(name)
  if (node === undefined) throw new Error(`there is no interface ${name}`)
  const inherited = own ? [] : (node.heritageClauses ?? []).flatMap(({ types }) => types.flatMap(inheritedOf))
  const members = node.members.flatMap(member => (member.name === undefined ? [] : [optionOf(member, member.name)]))
  const redefined = new Set(members.map(option => option.name))
  return [...inherited.filter(option => !redefined.has(option.name)), ...members]
}

function inheritedOf(type: ts.ExpressionWithTypeArguments): readonly Option[] {
  const name = type.expression.getText()
  const [of, left] = type.typeArguments ?? []
  // of an `Omit` what is left
  const base = name === 'Omit' ? (of?.getText() ?? '') : name
  const omitted = name === 'Omit' ? (left?.getText() ?? '') : ''
  if (!interfaces.has(base)) return []
  return optionsOf(base, false).filter(option => !omitted.includes(`'${option.name}'`))
}

function optionOf(member: ts.TypeElement, name: ts.PropertyName): Option {
  const doc = ts.getJSDocCommentsAndTags(member).find(ts.isJSDoc)
  const text = (ts.getTextOfJSDocComment(doc?.comment) ?? '').replace(/\{@link ([^}]+)\}/g, '`$1`')
  const type = ts.isPropertySignature(member) ? (member.type?.getText() ?? '') : 'function'
  return { name: name.getText().replace(/'/g, ''), type: plainType(type), text: text.replace(/\s+/g, ' ').trim() }
}

/** A type as a reader wants it: without what every optional one has, and functions by that word. */
function plainType(type: string): string {
  const whole = type
    .replace(/\s+/g, ' ')
    .replace(/^\| /, '')
    .replace(/(?: \| undefined)+$/, '')
    .replace(/readonly /g, '')
    .trim()
  if (whole.includes('=>')) return 'function'
  return whole.replace(/^\((.*)\)$/, '$1')
}

const sections =
  /(?:RFC \d{4}|OpenID Connect [A-Z][\w-]*(?: [A-Z][\w-]*)*|OAuth 2\.1|FAPI [12]\.0(?: Part \d)?|CIBA(?: Core)?|JARM|rfc7523bis|Client ID Metadata Document) §[\w.]+|RFC \d{4}/g
const units: readonly (readonly [RegExp, string])[] = [
  [/milliseconds/i, 'ms'],
  [/\bseconds\b/i, 's'],
  [/\bbytes\b/i, 'bytes']
]

/** The default: what the check falls back to, or what the comment says of it. */
function defaultOf({ text }: Option, check: Check | undefined): string {
  if (check?.isRequired === true) return '**required**'
  const said = /(?:^|[.:)] )Default:? ((?:[^.`]|\.(?! |$)|`[^`]*`)+)/.exec(text)?.[1]
  const fallback = check?.fallback
  if (typeof fallback === 'string' || typeof fallback === 'number' || typeof fallback === 'boolean')
    return `\`${JSON.stringify(fallback)}\``
  return said === undefined ? '' : said.trim()
}

interface Check {
  readonly fallback?: unknown
  readonly isRequired?: true
}

function rowOf(option: Option, table: Readonly<Record<string, unknown>> | undefined): readonly string[] {
  const check = table?.[option.name] as Check | undefined
  const unit = option.type.includes('number') ? (units.find(([word]) => word.test(option.text))?.[1] ?? '') : ''
  const section = [...new Set(option.text.match(sections) ?? [])].join(', ')
  return [`\`${option.name}\``, `\`${option.type}\``, defaultOf(option, check), unit, section, option.text]
}

const head = ['option', 'type', 'default', 'unit', 'section', 'what it is']

function tableOf(names: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell => cell.replace(/\|/g, '\\|')).join(' | ')} |`
  return [line(names), line(names.map(() => '---')), ...rows.map(line)].join('\n')
}

function sectionOf({ heading, options, own = false, table, note }: OptionsTaker): string {
  const rows = optionsOf(options, own).map(option => rowOf(option, table))
  return [`### ${heading}`, ...(note === undefined ? [] : [note]), tableOf(head, rows)].join('\n\n')
}

function metadataTable(): string {
  const described = new Map(optionsOf('RegisteredMetadata', false).map(option => [option.name, option]))
  const rows = Object.entries<MetadataMember>(clientMetadata).map(
    ([name, { kind, section = 'here alone', values, configured }]) => {
      const option = described.get(name)
      const said = values === undefined ? '' : `One of ${values.map(value => `\`${value}\``).join(', ')}. `
      const whose = configured === true ? 'Yours to say: a client that registers itself cannot. ' : ''
      return [`\`${name}\``, `\`${option?.type ?? kind}\``, section, `${said}${whose}${option?.text ?? ''}`.trim()]
    }
  )
  return tableOf(['member', 'type', 'section', 'what it is'], rows)
}

/** docs/options.md as it has to be. */
export function optionsReference(): string {
  const groups = [...new Set(takers.map(({ group }) => group))]
  const parts = groups.flatMap(group => [`## ${group}`, ...takers.filter(taker => taker.group === group).map(sectionOf)])
  return `${[
    '# Options',
    'Every option of every public function, made of the doc comments and the checks by `npm run docs:options`. An option that is misspelt or of the wrong kind is a `ConfigurationError` at construction, which names it. Times are seconds unless another unit is named; what has no default may be left out.',
    ...parts,
    '## Client metadata',
    'The members of a client in `clients`, by their registered names. Members nobody knows are kept, and ignored with one warning each; `null` is the same as leaving a member out.',
    metadataTable(),
    '## Environment variables of the library',
    tableOf(
      ['variable', 'what it does'],
      [
        [
          '`NODE_ENV`',
          '`production`: `developmentErrors` is refused, and refusals are no lines on stderr. `test`: neither refusals nor faults are. Anything else is development: each refusal is one line on stderr where there is no `onDecision`, `onEvent` or `onError`'
        ],
        ['`DEBUG`', 'with `clientele` among its names, each refusal is one line on stderr, in production too and whoever listens']
      ]
    ),
    '## The example app',
    'Its settings and environment variables are in [configuration.md](configuration.md), those of the command line in [command-line.md](command-line.md).'
  ].join('\n\n')}\n`
}
