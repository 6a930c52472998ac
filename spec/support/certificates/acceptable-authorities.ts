/** What a TLS listener's request for a certificate says to every client: the names of the authorities it accepts, as openssl prints them. */
import { spawn } from 'node:child_process'

export type TlsVersion = 'tls1_2' | 'tls1_3'

/** The names; undefined where no certificate was asked for. Some clients (Go's, Java's) send none that was not issued by one of them. */
export async function acceptableAuthorities(port: number, version: TlsVersion): Promise<readonly string[] | undefined> {
  const printed = await handshake(['-connect', `127.0.0.1:${port}`, `-${version}`, '-nameopt', 'RFC2253'])
  // types are named whenever a certificate is asked for
  if (!/^Requested Signature Algorithms|^Client Certificate Types/m.test(printed)) return undefined
  if (printed.includes('No client certificate CA names sent')) return []
  const [, names = ''] = /^Acceptable client certificate CA names\n((?:.+=.*\n)+)/m.exec(printed) ?? []
  return names.trimEnd().split('\n')
}

function handshake(options: readonly string[]): Promise<string> {
  const client = spawn('openssl', ['s_client', ...options], { stdio: ['pipe', 'pipe', 'ignore'] })
  let printed = ''
  client.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString()
    // printed at the end of what it says about a handshake
    if (printed.includes('Verify return code')) client.stdin.end()
  })
  return new Promise((resolve, reject) => {
    client.once('error', reject).once('close', () => resolve(printed))
  })
}
