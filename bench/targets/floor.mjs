/** The floor: the least that could be called an answer, as the one route of an Express 5 application. */
import express from 'express'
import { least } from './least.mjs'
import { serve } from './serve.mjs'

serve(async setting => {
  const { handle, path, jwks, prepare } = least(setting)
  const app = express()
  app.post(path, handle)
  return { handler: app, jwks, prepare }
})
