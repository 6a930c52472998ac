/** clientele in the same Express 5 application, on its own `createServer(app)`. */
import { createServer } from 'clientele'
import express from 'express'
import { mount } from './mount.mjs'
import { serve } from './serve.mjs'

const app = express()

serve(
  async setting => ({ prepare: await mount(app, setting) }),
  options => createServer(app, options)
)
