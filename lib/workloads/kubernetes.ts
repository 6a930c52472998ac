/** Kubernetes: pods with a projected service account token. */
import type { WorkloadIssuer } from '../assertions/workloads/options.ts'
import { legacyKubernetesIssuer, type FederatedCredential } from '../clients/federated-credential.ts'
import { readOptions, required, text, textLike, type Checks } from '../options.ts'
import { credential, presetChecks, refusing, type PresetOptions } from './preset.ts'

/** Which service account of which cluster. */
export interface KubernetesOptions extends PresetOptions {
  /** The cluster: what its tokens say in `iss`, which `kubectl get --raw /.well-known/openid-configuration` tells. */
  readonly issuer: string
  /** The namespace the service account is in. */
  readonly namespace: string
  /** Its name. */
  readonly serviceAccount: string
  /** Its `metadata.uid`. Given: an account that was deleted and made again under the same name is another one. */
  readonly serviceAccountUid?: string | undefined
}

const label = 'a-z, 0-9 and "-", as Kubernetes has them'
const isLabel = (name: string): boolean => /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/.test(name)
/** Audiences of the tokens that every pod has without asking. */
const ownAudience = /^(?:https:\/\/)?kubernetes\.default\.svc(?:\..+)?$/

export const kubernetesChecks = {
  ...presetChecks,
  issuer: required(text()),
  namespace: required(textLike(`the name of a namespace: ${label}`, isLabel)),
  serviceAccount: required(
    textLike(
      `the name of a service account: ${label}, with dots between`,
      name => name.length <= 253 && name.split('.').every(isLabel)
    )
  ),
  serviceAccountUid: textLike('the metadata.uid of the service account', uid =>
    /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(uid)
  )
} satisfies Checks<KubernetesOptions>

const refuse = refusing('kubernetes')

/** See {@link kubernetes}. */
export interface Kubernetes {
  /** @throws ConfigurationError naming the option that is wrong, or missing. */
  (options: KubernetesOptions): FederatedCredential
  /**
   * A cluster, for `workloads.issuers`, by what its tokens say in `iss`.
   *
   * @param settings what else the issuer's settings are to be: `jwks`, where this server cannot reach the cluster.
   * @throws ConfigurationError for a cluster that only its own pods can reach, without its keys.
   */
  issuer(issuer: string, settings?: Omit<WorkloadIssuer, 'issuer'>): WorkloadIssuer
}

/**
 * The credential of a client that runs in a pod: the token is one the pod's manifest projects, for this server as its
 * audience.
 *
 * @example
 * kubernetes({ issuer: 'https://oidc.eks.eu-central-1.amazonaws.com/id/A1B2', namespace: 'ci', serviceAccount: 'deployer' })
 */
export const kubernetes: Kubernetes = Object.assign(
  (options: KubernetesOptions): FederatedCredential => {
    const { namespace, serviceAccount, serviceAccountUid: uid, ...read } = readOptions(options, kubernetesChecks, 'kubernetes.')
    refuseLegacy(read.issuer)
    // such a token is sent to the API server too, and whoever has it may do there what the account may
    if (read.audience !== undefined && (read.audience === read.issuer || ownAudience.test(read.audience)))
      refuse(
        'audience',
        "must not be the cluster's own: project a token with an audience of its own (serviceAccountToken.audience)"
      )
    const claims = {
      'kubernetes.io': { namespace, serviceaccount: { name: serviceAccount, ...(uid !== undefined && { uid }) } }
    }
    return credential(
      read,
      { issuer: read.issuer, subject: `system:serviceaccount:${namespace}:${serviceAccount}`, claims },
      refuse
    )
  },
  {
    issuer(issuer: string, settings: Omit<WorkloadIssuer, 'issuer'> = {}): WorkloadIssuer {
      refuseLegacy(issuer)
      if (ownAudience.test(issuer) && settings.jwks === undefined && settings.jwks_uri === undefined)
        refuse(
          'issuer',
          `must come with jwks, which kubectl get --raw /openid/v1/jwks tells: nobody outside the cluster can ask ${issuer}`
        )
      return { ...settings, issuer }
    }
  }
)

function refuseLegacy(issuer: string): void {
  if (issuer === legacyKubernetesIssuer)
    refuse(
      'issuer',
      'must be that of projected tokens: those of Secrets never end. Project one with audience and expirationSeconds'
    )
}
