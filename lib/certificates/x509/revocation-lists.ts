/**
 * The revocation lists an operator keeps in files: read again when they change, and never believed beyond their time.
 */
import { readFileSync, statSync, type BigIntStats } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { TemporarilyUnavailableError } from '../../errors.ts'
import { harmless } from '../../listeners.ts'
import { ConfigurationError } from '../../options.ts'
import type { PathCertificate } from './path-certificate.ts'
import { pemBlocks } from './pem.ts'
import { isAbout, isSignedBy, parseRevocationList, RevocationListError, type RevocationList } from './revocation-list.ts'
import { asList } from '../../json.ts'

export interface RevocationOptions {
  /** Paths of files with lists in PEM or DER; one file may hold several in PEM. */
  readonly crl: string | readonly string[]
  /**
   * Treatment of a certificate that no list tells about: none of its issuer, or none whose time has not passed.
   * `refuse` (default) answers 503: nobody knows whether it was revoked. `accept` takes it as not revoked, unless an
   * outdated list has it.
   */
  readonly unknownRevocation?: 'refuse' | 'accept' | undefined
  /**
   * Told of files that cannot be read and of lists whose time has passed: at most once a minute for each file and each
   * issuer.
   */
  readonly onReport?: ((problem: RevocationProblem) => void) | undefined
}

export interface RevocationProblem {
  /** The file, where it is one file's problem. */
  readonly file?: string
  /** A sentence for the operator. */
  readonly message: string
}

export interface RevocationLists {
  /**
   * Why a path (leaf first, trusted authority last) is revoked, as a clause; undefined where it is not.
   * Rejects with TemporarilyUnavailableError where that cannot be told.
   */
  revoked(path: readonly PathCertificate[], now: number): Promise<string | undefined>
}

/** Time for which the files are taken to be unchanged, in milliseconds. */
const checkInterval = 1000
const reportInterval = 60_000
const largestFile = 67_108_864

interface ListFile {
  readonly path: string
  state: string
  lists: readonly RevocationList[]
}

/**
 * Reads the files, and from then on again whenever one changed, looked at once a second at most and only when somebody
 * asks. A file that cannot be read any more leaves what it said before standing, until that has run out.
 *
 * @throws ConfigurationError naming the file that cannot be used.
 */
export function revocationLists(options: RevocationOptions): RevocationLists {
  const paths = checkPaths(options.crl)
  const files = paths.map((path, index) => openFile(path, typeof options.crl === 'string' ? 'crl' : `crl[${index}]`))
  const report = reporter(options.onReport)
  let checked = -Infinity
  let checking: Promise<void> | undefined

  const refresh = async (): Promise<void> => {
    await Promise.all(files.map(file => readAgain(file, report)))
    checked = performance.now()
    checking = undefined
  }
  return {
    async revoked(path, now) {
      if (performance.now() - checked >= checkInterval) await (checking ??= refresh())
      const lists = files.flatMap(file => file.lists)
      for (const [index, certificate] of path.slice(0, -1).entries()) {
        const issuer = path[index + 1]
        const status = issuer === undefined ? 'unknown' : statusOf(certificate, issuer, lists, now)
        if (status === 'revoked')
          return `${index === 0 ? 'is' : 'has an authority in its chain that is'} revoked (serial number ${certificate.serial})`
        if (status !== 'unknown') continue
        const message = `no revocation list that is valid now covers the certificate with serial number ${certificate.serial}`
        report(certificate.issuerKey, { message })
        if (options.unknownRevocation !== 'accept') throw new TemporarilyUnavailableError({ reason: message })
      }
      return undefined
    }
  }
}

/** A list whose time has passed can still say that a certificate is revoked, and never that it is not. */
function statusOf(
  certificate: PathCertificate,
  issuer: PathCertificate,
  lists: readonly RevocationList[],
  now: number
): 'revoked' | 'good' | 'unknown' {
  // by key: a list of an authority that only has the same name says nothing about this one's certificates
  const its = lists.filter(list => isAbout(list, certificate) && isSignedBy(list, issuer))
  if (its.some(({ serials }) => serials.has(certificate.serial))) return 'revoked'
  return its.some(({ thisUpdate, nextUpdate }) => thisUpdate <= now + 60_000 && now <= nextUpdate) ? 'good' : 'unknown'
}

function openFile(path: string, key: string): ListFile {
  try {
    const state = stateOf(statSync(path, { bigint: true }))
    return { path, state, lists: parseLists(readFileSync(path)) }
  } catch (error) {
    const why = error instanceof RevocationListError ? `${path} ${error.message}` : `${path} is not`
    throw new ConfigurationError(key, `must be a readable file of certificate revocation lists (${why})`)
  }
}

async function readAgain(file: ListFile, report: (about: string, problem: RevocationProblem) => void): Promise<void> {
  try {
    const state = stateOf(await stat(file.path, { bigint: true }))
    if (state === file.state) return
    file.lists = parseLists(await readFile(file.path))
    file.state = state
  } catch (error) {
    const why = error instanceof RevocationListError ? error.message : 'cannot be read'
    report(file.path, { file: file.path, message: `${file.path} ${why}; what it said before stands until its nextUpdate` })
  }
}

/** Another file under the same name counts as a change, however equal its time and size. */
function stateOf({ mtimeNs, size, ino }: BigIntStats): string {
  if (size > largestFile) throw new RevocationListError(`is larger than ${largestFile} bytes`)
  return `${mtimeNs} ${size} ${ino}`
}

function parseLists(bytes: Buffer): RevocationList[] {
  if (!bytes.includes('-----BEGIN ')) return [parseRevocationList(bytes)]
  const blocks = pemBlocks(bytes.toString('latin1'), 'X509 CRL')
  if (blocks.length === 0) throw new RevocationListError('holds no certificate revocation list')
  return blocks.map(parseRevocationList)
}

function reporter(listener: RevocationOptions['onReport']): (about: string, problem: RevocationProblem) => void {
  const told = harmless('onReport', listener)
  const last = new Map<string, number>()
  return (about, problem) => {
    const now = performance.now()
    if (told === undefined || now - (last.get(about) ?? -Infinity) < reportInterval) return
    last.set(about, now)
    told(problem)
  }
}

function checkPaths(crl: unknown): readonly string[] {
  const paths = asList(crl)
  paths.forEach((path, index) => {
    if (typeof path !== 'string' || path === '')
      throw new ConfigurationError(Array.isArray(crl) ? `crl[${index}]` : 'crl', 'must be the path of a file')
  })
  if (paths.length === 0) throw new ConfigurationError('crl', 'must name at least one file')
  return paths as readonly string[]
}
