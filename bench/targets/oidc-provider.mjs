/** oidc-provider as its documentation runs it: Koa, on a server of its own. */
import { provide } from './provider.mjs'
import { serve } from './serve.mjs'

serve(async setting => provide(setting))
