/** The floor: the least that could be called an answer, as the one route of an Express 5 application. */
import express from 'express'
import { tokenPath } from '../cases.mjs'
import { least } from './least.mjs'
import { serve } from './serve.mjs'

serve(async setting => {
  const { answer, jwks } = least(setting)
  const app = express()
  app.post(tokenPath, answer)
  return { handler: app, jwks }
})
