/** clientele in the same application, with a candidate that is tried on no request. */
import express from 'express'
import { mount } from './mount.mjs'
import { serve } from './serve.mjs'

serve(async setting => {
  const app = express()
  const prepare = await mount(app, setting, () => ({ shadow: { options: { assertionAudience: 'report' }, sample: 0 } }))
  return { handler: app, prepare }
})
