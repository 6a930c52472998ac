/** What `npm pack` would publish: the compiled library and its command, the documents a user looks for and the pages error bodies point to, and nothing else. */
import { execFileSync } from 'node:child_process'

const documents = ['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md', 'package.json']
const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { encoding: 'utf8' })
const paths = JSON.parse(output)[0].files.map(({ path }) => path)

const published =
  /^cli\/bin\.mjs$|^dist\/(?:cli|lib)\/(?:.+\.js(?:\.map)?|licenses\.txt)$|^dist\/lib\/.+\.d\.ts$|^docs\/(?:errors|lint)\/\w+\.md$/
const complaints = [
  ...paths.filter(path => !published.test(path) && !documents.includes(path)).map(path => `must not be published: ${path}`),
  ...[...documents, 'cli/bin.mjs', 'dist/cli/main.js', 'dist/lib/index.js', 'dist/lib/index.d.ts']
    .filter(path => !paths.includes(path))
    .map(path => `is missing: ${path}`)
]
console.log(`${paths.length} files`)
for (const complaint of complaints) console.log(complaint)
process.exitCode = complaints.length === 0 ? 0 : 1
