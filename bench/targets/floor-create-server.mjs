/** The floor's application on clientele's `createServer(app)`. */
import { createServer } from '../../dist/lib/index.js'
import express from 'express'
import { tokenPath } from '../cases.mjs'
import { least } from './least.mjs'
import { serve } from './serve.mjs'

const app = express()

serve(
  async setting => {
    const { answer, jwks } = least(setting)
    app.post(tokenPath, answer)
    return { jwks }
  },
  options => createServer(app, options)
)
