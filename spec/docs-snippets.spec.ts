/** The code in README.md and docs/ compiles, against the library as it is: no option, export or member that is not there. */
import { describe, expect, it } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import * as clientele from '../lib/index.ts'
import * as mcp from '../lib/mcp/mcp.ts'
import * as signIn from '../lib/sign-in/upstream.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const inDocs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.md'))
// what stands on other frameworks is compiled and run with them: spec/consumers/readme.mjs
const documents = ['README.md', ...inDocs.filter(name => name !== 'frameworks.md').map(name => join('docs', name))]
const fence = /^```(?:ts|js)\b(?<info>[^\n]*)\n(?<code>.*?)^```$/gms

/** What a snippet may name without importing it. */
const entries: ReadonlyMap<string, object> = new Map<string, object>([
  ['clientele', clientele],
  ['clientele/mcp', mcp],
  ['clientele/sign-in', signIn]
])

interface Snippet {
  readonly document: string
  readonly code: string
}

const snippets = new Map(
  documents.flatMap(document =>
    [...readFileSync(join(root, document), 'utf8').matchAll(fence)].map(({ groups = {} }, index): [string, Snippet] => {
      const { info = '', code = '' } = groups
      const extension = info.endsWith('.cjs') ? 'cts' : 'ts'
      return [
        join(root, 'spec', 'support', 'docs', `${document.replace(/\W/g, '-')}-${index + 1}.${extension}`),
        { document, code: written(code) }
      ]
    })
  )
)

/** A snippet as it stands in an application: `…` is what goes without saying, and what it does not import is there all the same. */
function written(code: string): string {
  const whole = code
    .replace(/\{ \/\* … \*\/ ?/g, '{ ...options, ')
    .replace(/^\s*(?:\/\* … \*\/|\/\/ …)$/gm, '...options,')
    .replace(
      /require\('([^']+)'\)/g,
      (_, name: string) => `(undefined as unknown as typeof import('${name}', { with: { 'resolution-mode': 'import' } }))`
    )
  const own = new Set(
    [...whole.matchAll(/^(?:import|const|export (?:const|class)) (?:\{([^}]*)\}|(\w+))/gm)].flatMap(([, list = '', one = '']) => [
      ...list.split(/[,\s]+/),
      one
    ])
  )
  const imports = [...entries].flatMap(([from, exported]) => {
    const missing = Object.keys(exported).filter(name => !own.has(name) && new RegExp(`\\b${name}\\b`).test(whole))
    for (const name of missing) own.add(name)
    return missing.length === 0 ? [] : [`import { ${missing.join(', ')} } from '${from}'\n`]
  })
  return `${imports.join('')}${whole}\nexport {}\n`
}

const program = createProgram()

function createProgram(): ts.Program {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), path => ts.sys.readFile(path)) as { config: object }
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const lax = {
    noImplicitAny: false,
    noUnusedLocals: false,
    noUnusedParameters: false,
    exactOptionalPropertyTypes: false,
    noImplicitReturns: false
  }
  const all = {
    ...options,
    ...lax,
    noEmit: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    rewriteRelativeImportExtensions: false,
    noUncheckedIndexedAccess: false,
    verbatimModuleSyntax: false,
    isolatedModules: false
  }
  const host = ts.createCompilerHost(all)
  return ts.createProgram([join(root, 'spec/support/docs/surroundings.d.ts'), ...snippets.keys()], all, {
    ...host,
    fileExists: path => snippets.has(path) || host.fileExists(path),
    readFile: path => snippets.get(path)?.code ?? host.readFile(path),
    getSourceFile: (path, language, ...rest) => {
      const snippet = snippets.get(path)
      return snippet === undefined
        ? host.getSourceFile(path, language, ...rest)
        : ts.createSourceFile(path, snippet.code, language)
    }
  })
}

/** Where a spread that stands for the rest comes after what is shown, it says some of it again. */
const saidAgain = 2783

function problemsOf(path: string): readonly string[] {
  const source = program.getSourceFile(path)
  return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
    .filter(({ code }) => code !== saidAgain)
    .map(({ messageText, start = 0 }) => {
      const line = source?.text.slice(0, start).split('\n').length ?? 0
      return `${source?.text.split('\n')[line - 1]?.trim() ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
    })
}

describe.each([...new Set([...snippets.values()].map(({ document }) => document))])('%s', document => {
  it('has code that compiles', () => {
    const paths = [...snippets].flatMap(([path, snippet]) => (snippet.document === document ? [path] : []))
    expect(paths.flatMap(problemsOf)).toEqual([])
  })
})
