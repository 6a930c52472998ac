/** What the documents say about files is true: links lead somewhere, named specs exist, code parses, no rule stands without a proof. */
import { describe, expect, it } from '@jest/globals'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { z } from 'zod'
import { configSchema } from '../example-app/config/schema.ts'
import { listed } from '../site/contents.mjs'
import { addressOf } from '../site/markdown.mjs'
import { drawSequence } from '../site/sequence.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const inDocs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.md'))
const documents = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', ...inDocs.map(name => join('docs', name))]
const tables = ['docs/rfc-coverage.md', 'docs/conformance.md']

const fence = /^```(\w*)[^\n]*\n(.*?)^```$/gms
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
/** Code is not searched for links. */
const proseOf = (path: string): string =>
  read(path)
    .replace(fence, '')
    .replace(/`[^`\n]*`/g, '')

interface Definition {
  readonly label: string
  readonly target: string
}

function definitionsOf(prose: string): readonly Definition[] {
  return [...prose.matchAll(/^\[([^\]]+)\]: +(\S+)$/gm)].map(([, label = '', target = '']) => ({ label, target }))
}

function targetsOf(prose: string): readonly string[] {
  const inline = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
  return [...inline, ...definitionsOf(prose).map(({ target }) => target)]
}

/** The anchors of a document's headings, as GitHub names them. */
function anchorsOf(path: string): readonly string[] {
  return [
    ...read(path)
      .replace(fence, '')
      .matchAll(/^#+ +(.+)$/gm)
  ].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/ /g, '-')
  )
}

function problemOf(document: string, target: string): string | undefined {
  if (/^[a-z]+:/.test(target)) return undefined
  const [path = '', anchor] = target.split('#')
  const file = path === '' ? document : normalize(join(dirname(document), decodeURIComponent(path)))
  if (file.startsWith('..') || !existsSync(join(root, file))) return `${target}: no such file`
  if (anchor === undefined || !file.endsWith('.md') || anchorsOf(file).includes(anchor)) return undefined
  return `${target}: no such heading`
}

describe.each(documents)('%s', document => {
  it('links to what exists', () => {
    expect(targetsOf(proseOf(document)).flatMap(target => problemOf(document, target) ?? [])).toEqual([])
  })

  it('has code that parses', () => {
    for (const [, language = '', source = ''] of read(document).matchAll(fence)) {
      if (['ts', 'typescript', 'js', 'javascript'].includes(language)) {
        const compilerOptions = { target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext }
        const { diagnostics = [] } = ts.transpileModule(source, { reportDiagnostics: true, compilerOptions })
        const messages = diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
        expect([source, messages]).toEqual([source, []])
      }
      if (language === 'json') expect(() => JSON.parse(source) as unknown).not.toThrow()
    }
  })
})

describe('the site of the documents', () => {
  it('leads to each of them', () => {
    const addresses = inDocs.map(name => addressOf(`docs/${name}`) ?? name)
    const decisions = read('docs/decisions/README.md')
    const isListed = (address: string) => listed.has(address) || decisions.includes(`(${address.replace('/decisions/', '')}.md)`)
    expect(addresses.filter(address => !isListed(address))).toEqual([])
  })

  it('can draw their diagrams, and refuses what it cannot', () => {
    const diagrams = documents.flatMap(document =>
      [...read(document).matchAll(fence)].filter(([, language]) => language === 'mermaid')
    )
    expect(diagrams.length).toBeGreaterThan(10)
    for (const [, , source = ''] of diagrams) expect(drawSequence(source, 'a diagram')).toMatch(/^<svg .*<\/svg>$/s)
    expect(() => drawSequence('sequenceDiagram\n  loop forever', 'a diagram')).toThrow('loop forever')
    expect(() => drawSequence('sequenceDiagram\n  A->>B: hello', 'a diagram')).toThrow('no participant A')
  })

  it('writes what a diagram says as text, whatever it says', () => {
    const drawn = drawSequence('sequenceDiagram\n  participant A as <b>&"\n  A->>A: <script>', '"><script>')
    expect(drawn).not.toMatch(/<b>|<script>/)
  })
})

describe.each(tables)('the tables of %s', document => {
  const text = read(document)
  const definitions = definitionsOf(text)
  const cellsOf = (row: string): readonly string[] => row.split(/(?<!\\)\|/).slice(1, -1)
  const blocks = text.split(/\n\n+/).filter(block => block.startsWith('|'))

  it('name specs and sources that exist', () => {
    const named = [...text.matchAll(/(?:\.\.\/)?((?:spec|lib|example-app)\/[\w./-]+\.ts)\b/g)].map(([, path = '']) => path)
    expect(named.length).toBeGreaterThan(10)
    expect(named.filter(path => !existsSync(join(root, path)))).toEqual([])
  })

  it('define every name they use, and use every name they define', () => {
    const body = text.replace(/^\[[^\]]+\]: .*$/gm, '')
    const used = new Set([...body.matchAll(/\[((?:spec|lib|app)\/[^\]]+)\](?!\()/g)].map(([, label = '']) => label))
    expect([...used].sort()).toEqual([...new Set(definitions.map(({ label }) => label))].sort())
    expect(definitions).toHaveLength(used.size)
    for (const { label, target } of definitions) expect(target).toContain(label.replace(/^app\//, 'example-app/'))
  })

  it('have a proof in every row, or say that there is none', () => {
    const rows = blocks.filter(block => block.startsWith('| id ')).flatMap(block => block.split('\n').slice(2))
    const without = rows.filter(row => {
      const proof = cellsOf(row).at(-1)?.trim() ?? ''
      return !/\[spec\/|^not yet: \S|^met, not yet proven|^not ours: \S/.test(proof)
    })
    expect(rows.length).toBeGreaterThan(50)
    expect(without).toEqual([])
  })

  it('have no id twice', () => {
    const ids = blocks
      .filter(block => block.startsWith('| id '))
      .flatMap(block => block.split('\n').slice(2))
      .map(row => cellsOf(row)[0]?.trim())
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
  })

  it('have as many cells in every row as their heads', () => {
    for (const block of blocks) expect(new Set(block.split('\n').map(row => cellsOf(row).length)).size).toBe(1)
  })
})

describe('docs/configuration.md', () => {
  const rows = [...read('docs/configuration.md').matchAll(/^\| `([^`]+)` \| (.*?) \|/gm)]
  const documented = rows.map(([, name = '', given = '']) => [name, /^`([^`]*)`$/.exec(given)?.[1]] as const)
  const schema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as Setting

  it('has every setting of the example app once, each with its default, and no other', () => {
    const settings = settingsOf(schema).filter(([name]) => !/^(?:tenants\[\]\.(?!path$)|clients\[\])/.test(name))
    const inFile = documented.filter(([name]) => name !== name.toUpperCase())
    expect(inFile.map(([name]) => name).sort()).toEqual(settings.map(([name]) => name).sort())
    const wrong = settings.filter(([name, value]) => {
      const told = inFile.find(([known]) => known === name)?.[1]
      return told !== undefined && value !== undefined && /^["[{\d]|^(?:true|false)$/.test(told) && told !== JSON.stringify(value)
    })
    expect(wrong).toEqual([])
  })

  it('has every variable of the environment that is read', () => {
    const sources = readdirSync(join(root, 'example-app'), { recursive: true, encoding: 'utf8' })
      .filter(name => name.endsWith('.ts'))
      .map(name => read(join('example-app', name)))
    const named = sources.flatMap(source => [...source.matchAll(/\benv\['([A-Z_]+)'\]|\b([A-Z_]+)(?:: \w+)? = ''/g)])
    const variables = documented.map(([name]) => name).filter(name => name === name.toUpperCase())
    expect(variables.toSorted()).toEqual([...new Set(named.map(([, one, other]) => one ?? other))].sort())
  })
})

interface Setting {
  readonly type?: string
  readonly properties?: Readonly<Record<string, Setting>>
  readonly items?: Setting
  readonly anyOf?: readonly Setting[]
  readonly default?: unknown
}

/** Every path there is below a setting, and the default of each. */
function settingsOf({ properties = {}, items, anyOf = [] }: Setting, path = ''): readonly (readonly [string, unknown])[] {
  if (items !== undefined) return settingsOf(items, `${path}[]`)
  const own = Object.entries(properties).flatMap(([name, setting]) => {
    const at = path === '' ? name : `${path}.${name}`
    // keys of somebody else, and what stands in them, are no settings of ours
    return [[at, setting.default] as const, ...(name === 'jwks' ? [] : settingsOf(setting, at))]
  })
  return [...own, ...anyOf.flatMap(branch => settingsOf(branch, path))]
}
