/** GitHub Actions: jobs with `permissions: { id-token: write }`. */
import type { WorkloadIssuer } from '../assertions/workloads/options.ts'
import type { FederatedCredential } from '../clients/federated-credential.ts'
import { oneOf, readOptions, text, textLike, type Checks, type Read } from '../options.ts'
import { anyOf, credential, isHttps, number, presetChecks, refusing, type PresetOptions } from './preset.ts'

/** Which jobs of which repository, by the names of GitHub's claims. */
export interface GithubActionsOptions extends PresetOptions {
  /**
   * The repository, by the number that `gh api repos/OWNER/NAME --jq .id` tells. Needed, except where `subject` has it,
   * or `repository_owner_id` and `job_workflow_ref` let every repository of an owner run one workflow.
   */
  readonly repository_id?: string | number | undefined
  /** Its owner, by number: `gh api repos/OWNER/NAME --jq .owner.id`. */
  readonly repository_owner_id?: string | number | undefined
  /** The job's environment. Its protection rules, at GitHub, say who may run such a job. */
  readonly environment?: string | readonly string[] | undefined
  /** The branch or tag in full, such as `refs/heads/main`. */
  readonly ref?: string | readonly string[] | undefined
  /**
   * The file the job is written in, such as `acme/workflows/.github/workflows/deploy.yml@refs/heads/main`: of a
   * reusable workflow where it is one.
   */
  readonly job_workflow_ref?: string | readonly string[] | undefined
  /** The event that started the workflow. Default: seven that no outsider can cause, like `push`; no pull request. */
  readonly event_name?: string | readonly string[] | undefined
  /** The host of the machine that runs the job: GitHub, or oneself. Default: either. */
  readonly runner_environment?: 'github-hosted' | 'self-hosted' | undefined
  /**
   * A subject of either form, `repo:acme/app:ref:refs/heads/main` or `repo:acme@1/app@2:ref:refs/heads/main`, is taken
   * for the claims it stands for, so that the rule holds when a repository goes from one to the other. The first form
   * needs `repository_id` beside it.
   */
  readonly subject?: string | undefined
  /** Default: that of github.com. A server of one's own: `https://HOST/_services/token`. */
  readonly issuer?: string | undefined
}

const issuer = 'https://token.actions.githubusercontent.com'

/**
 * Started by those who may write to the repository. Not here: what forks and commenters start, `workflow_run` after it
 * too.
 */
const insidersEvents = ['push', 'merge_group', 'release', 'deployment', 'schedule', 'workflow_dispatch', 'repository_dispatch']

export const githubActionsChecks = {
  ...presetChecks,
  repository_id: number("the repository's id"),
  repository_owner_id: number("the owner's id"),
  environment: anyOf("an environment's name"),
  ref: anyOf('a branch or tag in full, such as refs/heads/main', ref => ref.startsWith('refs/')),
  job_workflow_ref: anyOf('a workflow, such as acme/app/.github/workflows/deploy.yml@refs/heads/main', path =>
    /^[^/]+\/[^/]+\/[^@]+@refs\/.+$/.test(path)
  ),
  event_name: anyOf(
    "an event's name; not pull_request_target, which runs on the base branch with what strangers wrote",
    event => event !== 'pull_request_target'
  ),
  runner_environment: oneOf(['github-hosted', 'self-hosted']),
  subject: text(),
  issuer: textLike('an https URL', isHttps)
} satisfies Checks<GithubActionsOptions>

const refuse = refusing('githubActions')

/** See {@link githubActions}. */
export interface GithubActions {
  /** @throws ConfigurationError naming the option that is wrong, or missing. */
  (options: GithubActionsOptions): FederatedCredential
  /** GitHub's own issuer, for `workloads.issuers`. */
  readonly issuer: WorkloadIssuer
}

/**
 * The credential of a client that runs as a job of GitHub Actions. It names the repository by number, since its name,
 * or its owner's, can be registered again by somebody else, and refuses a rule that would let every branch of it in.
 *
 * @example
 * githubActions({ repository_id: '456789', repository_owner_id: '123456', environment: 'production' })
 */
export const githubActions: GithubActions = Object.assign(
  (options: GithubActionsOptions): FederatedCredential => {
    const read = readOptions(options, githubActionsChecks, 'githubActions.')
    const { repository_id, repository_owner_id, environment, ref, job_workflow_ref, event_name } = withSubject(read)
    if (repository_id === undefined && (repository_owner_id === undefined || job_workflow_ref === undefined))
      refuse('repository_id', 'must be given: the name of a repository can be registered again, its number cannot')
    if (environment === undefined && ref === undefined && job_workflow_ref === undefined && read.subject === undefined)
      refuse('environment', 'or ref, or job_workflow_ref must be given: without one, every branch of the repository would do')
    const { runner_environment } = read
    const claims = {
      repository_id,
      repository_owner_id,
      environment,
      ref,
      job_workflow_ref,
      event_name: event_name ?? insidersEvents,
      runner_environment
    }
    return credential(read, { issuer: read.issuer ?? issuer, claims }, refuse)
  },
  { issuer: { issuer } }
)

type Options = Read<typeof githubActionsChecks>

const defaultSubject = /^repo:[^/@:]+(?:@(\d+))?\/[^/@:]+(?:@(\d+))?:(?:(ref|environment):(.+)|(pull_request))$/

/** The claims a subject stands for, in the place of those that were not given. */
function withSubject(options: Options): Options {
  if (options.subject === undefined) return options
  const [match, owner, repository, kind, value, pull] = defaultSubject.exec(options.subject) ?? []
  if (match === undefined || (owner === undefined) !== (repository === undefined))
    refuse('subject', 'must be of one of the forms GitHub writes by default; say the claims of another form one by one')
  if (repository === undefined && options.repository_id === undefined)
    refuse('subject', 'must have numbers in it (repo:acme@1/app@2:…), or repository_id beside it: a name can be registered again')
  const said = {
    repository_id: repository,
    repository_owner_id: owner,
    // GitHub writes a colon so
    environment: kind === 'environment' ? value?.replaceAll('%3A', ':') : undefined,
    ref: kind === 'ref' ? value : undefined,
    event_name: pull
  }
  for (const [name, value] of Object.entries(said)) {
    const given = options[name as keyof typeof said]
    if (value !== undefined && given !== undefined && given !== value) refuse(name, `must be what subject says, ${value}`)
  }
  return { ...options, ...Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)) }
}
