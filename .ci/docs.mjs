/** The docs site is built, and what must be true of it is. What a browser makes of it: spec/browser/docs-site.spec.ts. */
import '../site/build.mjs'

const { problems } = await import('../site/check.mjs')
const { pages, problems: found } = problems()
console.log(`${pages} pages`)
for (const problem of found) console.log(problem)
process.exitCode = found.length === 0 ? 0 : 1
