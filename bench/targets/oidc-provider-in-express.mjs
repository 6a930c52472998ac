/** oidc-provider mounted in an Express 5 application, as an application that is Express has to. */
import express from 'express'
import { provide } from './provider.mjs'
import { serve } from './serve.mjs'

serve(async setting => {
  const { handler, jwks, prepare } = provide(setting)
  const app = express()
  app.use(handler)
  return { handler: app, jwks, prepare }
})
