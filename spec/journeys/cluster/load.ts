/** Clients that use what they were given, over and over, and ask again when an answer gets lost on the way. */
import { setTimeout as pause } from 'node:timers/promises'
import { codeFor, redemption, type Answer, type Cluster, type Request } from './cluster.ts'

/** What one refresh token and all its successors came to. */
export interface Family {
  /** The token in force, as far as its client knows. */
  token: string
  /** Every token its client ever had, the oldest first. */
  readonly tokens: string[]
  /** Every access token its client was answered with. */
  readonly accessTokens: string[]
}

export interface Load {
  readonly families: readonly Family[]
  rotations: number
  /** How many answers were lost or were 503, each of which was asked for again. */
  lost: number
  /** Lost answers for which two further requests got one and the same successor. */
  repeated: number
}

/** What became of one code: answered with tokens, or spent by a request whose answer was lost. */
export interface RedeemedCode {
  readonly code: string
  readonly outcome: 'answered' | 'spent without an answer'
}

export interface Client {
  readonly client_id: string
  readonly headers: Readonly<Record<string, string>>
}

/** Milliseconds after which what does not come back is taken for gone. */
const patience = 60_000

/** Asks one process after the other until one answers; what they answer with is the caller's to judge. */
async function insist(cluster: Cluster, first: number, request: Request): Promise<{ answer: Answer; lost: number }> {
  const deadline = Date.now() + patience
  for (let attempt = 0; Date.now() < deadline; attempt++) {
    const answer = await cluster.ask(first + attempt, '/oauth2/token', request).catch(() => undefined)
    if (answer !== undefined && answer.status !== 503) return { answer, lost: attempt }
    await pause(50)
  }
  throw new Error('no process answered any more')
}

export async function startFamilies(cluster: Cluster, client: Client, count: number): Promise<Load> {
  const families = await Promise.all(
    Array.from({ length: count }, async (_, index): Promise<Family> => {
      const code = await codeFor(cluster, index, client.client_id, `family ${index}`)
      const { body } = await cluster.ask(index, '/oauth2/token', { form: redemption(code), headers: client.headers })
      const { refresh_token = '', access_token = '' } = body
      return { token: refresh_token, tokens: [refresh_token], accessTokens: [access_token] }
    })
  )
  return { families, rotations: 0, lost: 0, repeated: 0 }
}

/** Replaces every family's token so many times, all families at once. `onRotation` is told how many there were so far. */
export async function rotateAll(
  cluster: Cluster,
  client: Client,
  load: Load,
  times: number,
  onRotation: (rotations: number) => void
): Promise<void> {
  await Promise.all(
    load.families.map(async (family, index) => {
      for (let turn = 0; turn < times; turn++) {
        await rotate(cluster, client, load, family, index + turn)
        onRotation((load.rotations += 1))
      }
    })
  )
}

async function rotate(cluster: Cluster, { headers }: Client, load: Load, family: Family, node: number): Promise<void> {
  const request = { form: { grant_type: 'refresh_token', refresh_token: family.token }, headers }
  const { answer, lost } = await insist(cluster, node, request)
  const { refresh_token = '', access_token = '' } = successful(answer)
  if (lost > 0) {
    const again = await insist(cluster, node + 1, request)
    if (successful(again.answer)['refresh_token'] === refresh_token) load.repeated += 1
    load.lost += 1
  }
  family.token = refresh_token
  family.tokens.push(refresh_token)
  family.accessTokens.push(access_token)
}

function successful({ status, body }: Answer): Answer['body'] {
  if (status !== 200) throw new Error(`a good refresh token was refused: ${status} ${JSON.stringify(body)}`)
  return body
}

/** Redeems codes, a few at a time. */
export async function redeemAll(cluster: Cluster, { headers }: Client, codes: readonly string[]): Promise<RedeemedCode[]> {
  const redeemed: RedeemedCode[] = []
  const waiting = [...codes.entries()]
  const redeem = async () => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const [index, code] = next
      const { answer, lost } = await insist(cluster, index, { form: redemption(code), headers })
      if (answer.status !== 200 && lost === 0) throw new Error(`a good code was refused: ${JSON.stringify(answer.body)}`)
      redeemed.push({ code, outcome: answer.status === 200 ? 'answered' : 'spent without an answer' })
    }
  }
  await Promise.all(Array.from({ length: 8 }, redeem))
  return redeemed
}
