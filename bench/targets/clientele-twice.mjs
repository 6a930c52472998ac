/** clientele in the same application, behind a second authentication of the client: what a trial is held against. */
import express from 'express'
import { authenticateClient, builtInStrategies, memoryStore } from '../../dist/lib/index.js'
import { issuer } from '../cases.mjs'
import { mount } from './mount.mjs'
import { serve } from './serve.mjs'

serve(async setting => {
  const app = express()
  const clients = [setting.client]
  const strategies = builtInStrategies({ clients, issuer, store: memoryStore() })
  app.post('/oauth2/token', authenticateClient({ clients, strategies }))
  const prepare = await mount(app, setting)
  return { handler: app, prepare }
})
