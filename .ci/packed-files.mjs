/** What `npm pack` would publish: the compiled library and its command, and every document the README leads to; nothing else. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const documents = ['CHANGELOG.md', 'CONTRIBUTING.md', 'LICENSE', 'README.md', 'SECURITY.md', 'package.json']
const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { encoding: 'utf8' })
const paths = JSON.parse(output)[0].files.map(({ path }) => path)

const published =
  /^cli\/bin\.mjs$|^dist\/(?:cli|lib)\/(?:.+\.js(?:\.map)?|licenses\.txt)$|^dist\/lib\/.+\.d\.ts$|^docs\/(?:\w+\/)?[\w-]+\.md$|^docs\/images\/[\w-]+\.png$|^bench\/(?:README\.md|chart-[\w-]+\.svg)$/
const complaints = [
  ...paths.filter(path => !published.test(path) && !documents.includes(path)).map(path => `must not be published: ${path}`),
  ...[...documents, 'cli/bin.mjs', 'dist/cli/main.js', 'dist/lib/index.js', 'dist/lib/index.d.ts']
    .filter(path => !paths.includes(path))
    .map(path => `is missing: ${path}`)
]
const links = [...readFileSync('README.md', 'utf8').matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)|(?:src|srcset)="([^":]+)"/g)]
for (const [, link, image] of links) {
  const target = link ?? image
  if (!paths.some(path => path === target || path.startsWith(`${target}/`)))
    complaints.push(`is linked to by README.md, and missing: ${target}`)
}
console.log(`${paths.length} files`)
for (const complaint of complaints) console.log(complaint)
process.exitCode = complaints.length === 0 ? 0 : 1
