/** What the floor's route costs without Express: `node:http` alone. */
import { least } from './least.mjs'
import { serve } from './serve.mjs'

serve(async setting => {
  const { handle, path, jwks, prepare } = least(setting)
  const handler = (req, res) => {
    if (req.method === 'POST' && req.url === path) handle(req, res)
    else res.writeHead(404).end()
  }
  return { handler, jwks, prepare }
})
