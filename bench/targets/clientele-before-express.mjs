/** clientele on `createServer(app, { server })`: its endpoints for clients answer before Express does. */
import { createServer } from 'clientele'
import express from 'express'
import { mount } from './mount.mjs'
import { serve } from './serve.mjs'

const app = express()
/** The server is made once its port is known, and its endpoints become this one's. */
const server = Object.assign(() => undefined, { clientEndpoints: new Map() })
const mounting = {
  use(made) {
    app.use(made)
    for (const [path, handler] of made.clientEndpoints) server.clientEndpoints.set(path, handler)
  }
}

serve(
  async setting => ({ prepare: await mount(mounting, setting) }),
  options => createServer(app, { ...options, server })
)
