/** Google Cloud: workloads that run as a service account, with a token of the metadata server. */
import type { WorkloadIssuer } from '../assertions/workloads/options.ts'
import type { FederatedCredential } from '../clients/federated-credential.ts'
import { readOptions, required, textLike, type Checks } from '../options.ts'
import { credential, presetChecks, refusing, type PresetOptions } from './preset.ts'

/** Which service account. */
export interface GoogleCloudOptions extends PresetOptions {
  /**
   * Its unique id, as text, since no number is that long: `gcloud iam service-accounts describe EMAIL
   * --format='value(uniqueId)'`. Its e-mail address can be given to another account after it.
   */
  readonly serviceAccountId: string
}

const issuer = 'https://accounts.google.com'

export const googleCloudChecks = {
  ...presetChecks,
  serviceAccountId: required(
    textLike('the unique id of a service account, as a text of digits: an e-mail address can be given to another one', id =>
      /^[0-9]{10,30}$/.test(id)
    )
  )
} satisfies Checks<GoogleCloudOptions>

/** See {@link googleCloud}. */
export interface GoogleCloud {
  /** @throws ConfigurationError naming the option that is wrong, or missing. */
  (options: GoogleCloudOptions): FederatedCredential
  /**
   * Google's issuer, for `workloads.issuers`. It signs for people too: nobody gets in by it but whom a credential
   * names.
   */
  readonly issuer: WorkloadIssuer
}

/**
 * The credential of a client that runs on Google Cloud as a service account.
 *
 * @example
 * googleCloud({ serviceAccountId: '104819472310987654321' })
 */
export const googleCloud: GoogleCloud = Object.assign(
  (options: GoogleCloudOptions): FederatedCredential => {
    const { serviceAccountId, ...read } = readOptions(options, googleCloudChecks, 'googleCloud.')
    return credential(read, { issuer, subject: serviceAccountId, claims: {} }, refusing('googleCloud'))
  },
  { issuer: { issuer } }
)
