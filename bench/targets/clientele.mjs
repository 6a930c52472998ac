/** clientele in a plain Express 5 application, on the server `app.listen()` would make. */
import express from 'express'
import { mount } from './mount.mjs'
import { serve } from './serve.mjs'

serve(async setting => {
  const app = express()
  const prepare = await mount(app, setting)
  return { handler: app, prepare }
})
