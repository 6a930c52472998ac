/** The floor's application on clientele's `createServer(app)`. */
import { createServer } from 'clientele'
import express from 'express'
import { least } from './least.mjs'
import { serve } from './serve.mjs'

const app = express()

serve(
  async setting => {
    const { handle, path, jwks, prepare } = least(setting)
    app.post(path, handle)
    return { jwks, prepare }
  },
  options => createServer(app, options)
)
