/**
 * Logos of clients that an operator configured or vouched for, served from this origin: people's browsers ask nobody
 * else, and a logo's host learns of no one. A client that registered itself shows none: it could show anybody's.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { Router } from 'express'
import { LRUCache } from 'lru-cache'
import { guardedDownload, type Client } from 'clientele'
import { isUnvouched } from './client-words.ts'
import { HttpError } from '../http-error.ts'

export interface Logos {
  /** Where the logo is served; undefined where none is shown. */
  addressOf(client: Client): string | undefined
  /** Serves what {@link addressOf} names, and nothing else. */
  readonly routes: Router
}

interface LogosOptions {
  /** Where the issuer is mounted. */
  readonly base: string
  /** Signs the addresses, so that nothing is fetched but what a page shows. */
  readonly secret: string
  /** Whether logos may come from this machine. */
  readonly allowLoopback: boolean
}

/** The longest logo, in bytes. */
const maxBytes = 262_144
const mostKept = 50
/** Milliseconds a logo is kept, and for so long is one that could not be had not asked for again. */
const keptFor = 3_600_000
const failureKeptFor = 300_000

/**
 * First bytes of each type of image, to judge it by: a host's word for what it sends is not taken. No SVG: it can hold
 * script.
 */
const types: readonly (readonly [type: string, at: number, beginning: string])[] = [
  ['image/png', 0, '\x89PNG\r\n\x1a\n'],
  ['image/jpeg', 0, '\xff\xd8\xff'],
  ['image/gif', 0, 'GIF8'],
  ['image/webp', 8, 'WEBP']
]

interface Logo {
  readonly type: string
  readonly bytes: Buffer
}

export function logos({ base, secret, allowLoopback }: LogosOptions): Logos {
  const download = guardedDownload({ allowLoopback, maxBytes, timeout: 3000 })
  const prove = (name: string) => createHmac('sha256', secret).update(`logo ${name}`).digest()
  // what is under way is kept too: one fetch for however many ask
  const kept = new LRUCache<string, Promise<Logo | undefined>>({ max: mostKept, ttl: keptFor })
  const logoAt = (uri: string) => {
    const known = kept.get(uri)
    if (known !== undefined) return known
    const fetched = download(uri).then(toLogo, () => undefined)
    kept.set(uri, fetched)
    void fetched.then(logo => {
      if (logo === undefined) kept.set(uri, fetched, { ttl: failureKeptFor })
    })
    return fetched
  }
  const routes = Router({ caseSensitive: true })
  routes.get(`${base}/logos/:name/:proof`, async (req, res) => {
    const { name, proof } = req.params
    const given = Buffer.from(proof, 'base64url')
    const right = prove(name)
    const genuine = given.length === right.length && timingSafeEqual(given, right)
    const logo = genuine ? await logoAt(Buffer.from(name, 'base64url').toString()) : undefined
    if (logo === undefined) throw new HttpError(404, 'There is no such logo.')
    res.set('Cache-Control', 'private, max-age=3600').type(logo.type).send(logo.bytes)
  })
  return {
    routes,
    addressOf(client) {
      const { logo_uri } = client
      if (logo_uri === undefined || isUnvouched(client)) return undefined
      const name = Buffer.from(logo_uri).toString('base64url')
      return `${base}/logos/${name}/${prove(name).toString('base64url')}`
    }
  }
}

function toLogo(bytes: Buffer): Logo | undefined {
  const type = types.find(([, at, beginning]) => bytes.toString('latin1', at, at + beginning.length) === beginning)?.[0]
  return type === undefined ? undefined : { type, bytes }
}
