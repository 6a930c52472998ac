/** Copies what was built last among the bench's own packages, as its users have it: with one Express, which a start loads once. */
import { cpSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const at = path => fileURLToPath(new URL(path, import.meta.url))
const folder = at('./node_modules/clientele')
rmSync(folder, { recursive: true, force: true })
cpSync(at('../package.json'), `${folder}/package.json`)
cpSync(at('../dist/lib'), `${folder}/dist/lib`, { recursive: true })
