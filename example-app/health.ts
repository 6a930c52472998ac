/** Whether the process lives, and whether it can do its work. */
import { Router } from 'express'
import type { Store } from 'clientele'

/** Time the store may take to answer, in milliseconds. */
const patience = 2000

/** `/healthz` answers while the process does; `/readyz` only while the store answers too. */
export function healthRoutes(store: Store): Router {
  const router = Router({ caseSensitive: true })
  router.get('/healthz', (_req, res) => {
    res.set('Cache-Control', 'no-store').json({ status: 'ok' })
  })
  router.get('/readyz', async (_req, res) => {
    const ready = await answers(store)
    res
      .status(ready ? 200 : 503)
      .set('Cache-Control', 'no-store')
      .json({ status: ready ? 'ready' : 'store not answering' })
  })
  return router
}

async function answers(store: Store): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<boolean>(resolve => {
    timer = setTimeout(resolve, patience, false)
  })
  const asked = store.get({ kind: 'readiness', id: 'probe' }).then(
    () => true,
    () => false
  )
  const answered = await Promise.race([asked, tooLate])
  clearTimeout(timer)
  return answered
}
