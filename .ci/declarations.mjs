/** Copies what the compiler declared to where package.json says that types are: of an entry, and of whatever its declarations name, and no more. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const [declared, published] = [join(root, 'dist/declarations'), join(root, 'dist')]
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

const reached = new Set(Object.values(exports).flatMap(({ types }) => (types === undefined ? [] : [relative('dist', types)])))
for (const file of reached) {
  const text = readFileSync(join(declared, file), 'utf8')
  for (const [, path] of text.matchAll(/(?:\bfrom|\bimport\()\s*['"](\.[^'"]+)\.[jt]s['"]/g)) {
    reached.add(join(dirname(file), `${path}.d.ts`))
  }
}
for (const file of readdirSync(join(published, 'lib'), { recursive: true })) {
  if (file.endsWith('.d.ts') && !reached.has(join('lib', file))) rmSync(join(published, 'lib', file))
}
for (const file of reached) {
  // TypeScript before 5.7 knows no type parameter of typed arrays, and to those after it the default is the same
  const text = readFileSync(join(declared, file), 'utf8').replaceAll(/\b(Uint8Array|Buffer)<ArrayBufferLike>/g, '$1')
  mkdirSync(dirname(join(published, file)), { recursive: true })
  writeFileSync(join(published, file), text)
}
