/** All the cases as one server has them: clients, what each case presents next, and what must not be let in. */
import { clientOf, isAsserted, needsPreparation } from '../cases.mjs'
import { faultOfSample, judge } from '../check.mjs'
import { probe, probeCount } from '../probe.mjs'
import { assertedRequests, codeRequest, credentialsRequest, introspectionRequest, refreshRequest } from '../requests.mjs'
import { makers } from '../targets/mount-preparation.mjs'

/** How much of what a case presents is there before its turn comes, at least: making it is no part of what is measured. */
const ready = 32
/** Tokens that wait to be asked about, at most. */
const mostTokens = 64
/** After so many refreshes a family is left to expire, and another begins. */
const mostRefreshes = 20
/** Answers of each case that are judged in full. */
const sampleSize = 100

/** The cases, each with its client's id and key, and the clients: one for each method and algorithm, good for all of its cases. */
export function mixOf(cases) {
  const clients = new Map()
  const mix = cases.map(plain => {
    const bench = { ...plain, clientId: [plain.method, plain.alg].filter(Boolean).join('-') }
    const made = clientOf(bench)
    const known = clients.get(bench.clientId)
    clients.set(bench.clientId, known === undefined ? made : { ...known, client: together(known.client, made.client) })
    return bench
  })
  return {
    mix: mix.map(bench => ({ bench, clientKey: clients.get(bench.clientId).clientKey })),
    clients: [...clients.values()].map(({ client }) => client)
  }
}

/** One client that may do what either may. */
function together(one, other) {
  const both = name => [...new Set([...one[name], ...other[name]])]
  const lists = Object.fromEntries(['grant_types', 'response_types', 'redirect_uris'].map(name => [name, both(name)]))
  return { ...one, ...lists, scope: [...new Set(`${one.scope} ${other.scope}`.split(' '))].join(' ') }
}

/**
 * One case at one server: `make` makes what its request presents, `request` is that request, `before` the answer it follows on, and `next` what its
 * answer leaves to present another time.
 */
function turnsOf({ bench, clientKey }, ask) {
  if (isAsserted(bench)) return { make: () => assertedRequests(bench, clientKey, 1)[0], request: made => made }
  switch (bench.grant) {
    case 'refresh_token': {
      const make = async () => ({ token: await makers.refresh_token(bench, ask), used: 0 })
      return {
        make,
        request: ({ token }) => refreshRequest(bench, token),
        before: ({ token }) => ({ refresh_token: token }),
        next: ({ used }, answer) => (used + 1 < mostRefreshes ? { token: answer.refresh_token, used: used + 1 } : make())
      }
    }
    case 'authorization_code':
      return { make: () => makers.authorization_code(bench, ask), request: code => codeRequest(bench, code) }
    case 'introspection':
      // what the others were given is put here
      return {
        make: () => makers.introspection(bench, ask),
        request: token => introspectionRequest(bench, token),
        next: () => undefined
      }
    default:
      return { make: () => credentialsRequest(bench), request: made => made }
  }
}

/** The load of one server. */
export class Load {
  #server
  #turns
  #told
  /** Tokens whose end is awaited, as `{ token, ended }`. */
  #aging = []

  /**
   * @param server `mix`, `connections`, `port`, `jwks` and the `lifetime` of its tokens in seconds
   * @param told called with the case and what was wrong
   */
  constructor(server, told) {
    this.#server = server
    this.#told = told
    const ask = request => server.connections.ask(request)
    this.#turns = server.mix.map(entry => {
      const turns = turnsOf(entry, ask)
      return { ...entry, next: turns.make, before: () => undefined, ...turns, stock: [], sample: [] }
    })
  }

  async prepare() {
    for (const { stock, make } of this.#turns) while (stock.length < ready) stock.push(await make())
  }

  /** Sends the request whose turn it is; `took` is called with the milliseconds from when it was due until its answer was there. */
  async send(index, due, took) {
    const turn = this.#turns[index % this.#turns.length]
    const { bench, stock, sample } = turn
    try {
      const made = stock.shift() ?? (await turn.make())
      const { status, body } = await this.#server.connections.ask(turn.request(made))
      took(performance.now() - due)
      const { answer, fault } = judge(bench, status, body, turn.before(made))
      if (fault !== undefined) throw new Error(fault)
      if (sample.push(answer) > sampleSize) sample.shift()
      this.#offer(bench, answer)
      const next = await turn.next(made, answer)
      if (next !== undefined) stock.push(next)
    } catch (error) {
      this.#told(bench.name, error.message)
    }
  }

  /** Has a token asked about that another case was given. */
  #offer({ clientId, grant, token }, { access_token }) {
    const asking = this.#turns.find(({ bench }) => bench.grant === 'introspection')
    if (clientId !== asking.bench.clientId || token !== 'opaque' || ['introspection', 'refresh_token'].includes(grant)) return
    if (asking.stock.push(access_token) > mostTokens) asking.stock.shift()
  }

  /** Judges in full what each case was answered with last. */
  judgeSample() {
    for (const { bench, sample } of this.#turns) {
      const fault = faultOfSample(bench, sample, this.#server.jwks)
      if (fault !== undefined) this.#told(bench.name, fault)
    }
  }

  /** Tries what must be refused: what each case's probe does, and tokens whose time is over. */
  async tryRefusals() {
    const { connections, port, lifetime } = this.#server
    const ask = request => connections.ask(request)
    for (const { bench, clientKey, make } of this.#turns) {
      try {
        const prepared = []
        if (needsPreparation(bench)) while (prepared.length < probeCount) prepared.push(await makers[bench.grant](bench, ask))
        const fault = await probe(bench, { port, clientKey, prepared })
        if (fault !== undefined) throw new Error(fault)
        if (bench.grant !== 'introspection') continue
        const token = await make()
        this.#aging.push({ token, ended: Date.now() + (lifetime + 1) * 1000 })
        while (this.#aging[0].ended <= Date.now()) await this.#mustHaveEnded(bench, this.#aging.shift().token)
      } catch (error) {
        this.#told(`${bench.name}, refusals`, error.message)
      }
    }
  }

  async #mustHaveEnded(bench, token) {
    const { status, body } = await this.#server.connections.ask(introspectionRequest(bench, token))
    if (status !== 200 || JSON.parse(body).active !== false) throw new Error(`a token outlived its time: ${status} ${body}`)
  }
}
