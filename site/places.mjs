/** Where things are. */
import { fileURLToPath } from 'node:url'

export const here = fileURLToPath(new URL('.', import.meta.url))
export const root = fileURLToPath(new URL('..', import.meta.url))
/** The built site. */
export const out = fileURLToPath(new URL('../dist/site/', import.meta.url))
