/** The built docs site on a port of this machine's, as a host of files serves it. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join } from 'node:path'
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { close, listen } from '../../support/journeys/server.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const folder = join(root, 'dist/site')

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.json': 'application/json'
}

export interface DocsSite {
  readonly origin: string
  close(): Promise<void>
}

/** Serves the site that `npm run docs` made, and has it made where there is none. */
export async function serveDocs(): Promise<DocsSite> {
  if (!existsSync(join(folder, 'index.html'))) execFileSync('npm', ['run', 'docs'], { cwd: root, stdio: 'inherit' })
  const { server, host } = await listen(
    createServer((req, res) => {
      const path = join(folder, new URL(req.url ?? '/', 'http://site').pathname)
      const file = [path, `${path}.html`, join(path, 'index.html')].find(name => existsSync(name) && statSync(name).isFile())
      res.statusCode = file === undefined ? 404 : 200
      const served = file ?? join(folder, '404.html')
      res.setHeader('Content-Type', types[extname(served)] ?? 'application/octet-stream')
      res.end(readFileSync(served))
    })
  )
  return { origin: `http://${host}`, close: () => close(server) }
}
