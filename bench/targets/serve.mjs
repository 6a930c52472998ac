/**
 * Runs a target in its process: told over IPC what to serve, it answers with where; any message after that asks how much
 * CPU time it has used. It ends when its parent lets go.
 */
import { createServer } from 'node:http'

/**
 * @param {(setting: { issuer: string, bench: object, clientJwk: object, signingJwk: object }) => Promise<{ handler?: import('node:http').RequestListener, jwks?: { keys: object[] } }>} build
 * @param {(options: import('node:http').ServerOptions) => import('node:http').Server} [makeServer] for a target that has its handler from the start
 */
export function serve(build, makeServer = createServer) {
  process.once('message', async setting => {
    const server = makeServer({ keepAliveTimeout: 60_000 })
    server.listen(0, '127.0.0.1', async () => {
      const { port } = server.address()
      const issuer = `http://127.0.0.1:${port}`
      const { handler, jwks } = await build({ ...setting, issuer })
      if (handler !== undefined) server.on('request', handler)
      process.send({ port, issuer, jwks: jwks ?? (await publishedKeys(issuer)) })
      process.on('message', () => process.send(process.cpuUsage()))
    })
  })
  // a plain exit, so that --cpu-prof gets to write its file
  process.on('disconnect', () => process.exit(0))
}

async function publishedKeys(issuer) {
  const metadata = await (await fetch(`${issuer}/.well-known/oauth-authorization-server`)).json()
  return (await fetch(metadata.jwks_uri)).json()
}
