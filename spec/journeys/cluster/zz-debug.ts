import { startCluster, codeFor } from './cluster.ts'
import { engines } from './engines.ts'
console.log('start')
const engine = await engines['SQLite']!()
console.log('engine', engine.store)
const cluster = await startCluster(engine.store, [
  {
    client_id: 'web',
    client_secret: 'a secret of letters and spaces alone',
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    redirect_uris: ['https://client.example.com/cb']
  }
])
console.log('cluster')
console.log(await codeFor(cluster, 0, 'web', 'x'))
await cluster.stop()
await engine.stop()
