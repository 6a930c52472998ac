/** One server process of several on one store: started by cluster.ts, which tells it all that the processes have in common. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Store } from 'clientele'
import { application } from './application.ts'
import { openStore } from './engines.ts'
import type { NodeSetup, StoreOperation } from './setup.ts'

/** After which operation this process ends, as if somebody had killed it. */
let dieAfter: StoreOperation | undefined

/** The same store; but what it did in the operation that was asked for, nobody ever hears. */
function mortal(store: Store): Store {
  const lastly = <T>(operation: StoreOperation, done: boolean, outcome: T): T => {
    if (done && dieAfter === operation) process.kill(process.pid, 'SIGKILL')
    return outcome
  }
  return {
    get: key => store.get(key),
    set: (key, value, ttl) => store.set(key, value, ttl),
    add: (key, value, ttl) => store.add(key, value, ttl),
    delete: key => store.delete(key),
    deleteGrant: grant => store.deleteGrant(grant),
    close: () => store.close(),
    take: key => store.take(key).then(taken => lastly('take', taken.outcome === 'taken', taken)),
    swap: (...swap) => store.swap(...swap).then(swapped => lastly('swap', swapped, swapped))
  }
}

async function serve({ store, ...setup }: NodeSetup): Promise<number> {
  const listener = createServer(application(mortal(await openStore(store)), setup))
  // a client about to use a connection must not find it closed
  listener.keepAliveTimeout = 600_000
  await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
  return (listener.address() as AddressInfo).port
}

process.on('message', (message: NodeSetup | { readonly dieAfter: StoreOperation }) => {
  if ('dieAfter' in message) dieAfter = message.dieAfter
  else void serve(message).then(port => process.send?.(port))
})
process.once('disconnect', () => process.exit(0))
