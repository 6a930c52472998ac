/** Compiles what a process of a spec's own runs, once for all the processes a spec file starts: most of what a start takes is that. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { transformSync } from '@swc/core'

const root = fileURLToPath(new URL('../../../', import.meta.url))
/** Where Node looks for packages from is the project. */
const folder = join(root, 'node_modules', '.cache', 'clientele')

const imports = /(\bfrom|\bimport)(\s*\(?\s*)(['"])([^'"]+)\3/g

const compiledFile = (source: string) => join(folder, relative(root, source)).replace(/\.ts$/, '.mjs')

/** The file to run in place of a TypeScript module, compiled together with all it imports of this project. */
export function compiled(entry: URL): string {
  const due = [fileURLToPath(entry)]
  const seen = new Set(due)
  for (const source of due) {
    write(source, imported => {
      if (!seen.has(imported)) due.push(imported)
      seen.add(imported)
    })
  }
  return compiledFile(fileURLToPath(entry))
}

function write(source: string, saw: (imported: string) => void): void {
  const { code } = transformSync(readFileSync(source, 'utf8'), {
    jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
    module: { type: 'es6' }
  })
  const linked = code.replace(imports, (statement, keyword: string, between: string, _quote, specifier: string) => {
    const imported = sourceOf(specifier, source)
    if (imported === undefined) return statement
    const needsCompiling = imported.endsWith('.ts')
    if (needsCompiling) saw(imported)
    const path = relative(dirname(compiledFile(source)), needsCompiling ? compiledFile(imported) : imported)
    return `${keyword}${between}${JSON.stringify(path.startsWith('.') ? path : `./${path}`)}`
  })
  const file = compiledFile(source)
  mkdirSync(dirname(file), { recursive: true })
  // whole or not at all: another spec file may do the same, and its processes read it
  writeFileSync(`${file}.${process.pid}`, linked)
  renameSync(`${file}.${process.pid}`, file)
}

/** The file of this project an import is of. */
function sourceOf(specifier: string, importer: string): string | undefined {
  if (/^\.\.?\//.test(specifier)) return resolve(dirname(importer), specifier)
  const [library, path = 'index'] = /^clientele(?:\/(.+))?$/.exec(specifier) ?? []
  return library === undefined ? undefined : join(root, 'lib', `${path}.ts`)
}
