/** GitLab CI/CD: jobs with `id_tokens`. */
import type { WorkloadIssuer } from '../assertions/workloads/options.ts'
import type { FederatedCredential } from '../clients/federated-credential.ts'
import { flag, oneOf, readOptions, text, textLike, type Checks, type Read } from '../options.ts'
import { anyOf, credential, isHttps, number, presetChecks, refusing, type PresetOptions } from './preset.ts'

/** Which jobs of which project, by the names of GitLab's claims. */
export interface GitlabCiOptions extends PresetOptions {
  /** The project, by number: it stands below its name on the project's page. */
  readonly project_id: string | number
  /** The group or user it is in, by number. A project that moves elsewhere is then no longer let in. */
  readonly namespace_id?: string | number | undefined
  /** The branch or tag, as GitLab says it: `main`, without `refs/heads/`. */
  readonly ref?: string | readonly string[] | undefined
  /** Whether `ref` is a branch or a tag. Default `branch` where `ref` is given: a tag may have a branch's name. */
  readonly ref_type?: 'branch' | 'tag' | undefined
  /** True: only from protected branches and tags. */
  readonly ref_protected?: boolean | undefined
  /** The job's environment. */
  readonly environment?: string | readonly string[] | undefined
  /** True: only where that environment is protected. */
  readonly environment_protected?: boolean | undefined
  /** The source of the pipeline. Default: `push`, `web`, `schedule`, `api`, `trigger`, `pipeline`; no merge request. */
  readonly pipeline_source?: string | readonly string[] | undefined
  /** The host of the machine that runs the job: GitLab, or oneself. Default: either. */
  readonly runner_environment?: 'gitlab-hosted' | 'self-hosted' | undefined
  /**
   * A subject as GitLab writes it by default, `project_path:acme/app:ref_type:branch:ref:main`, is taken for the claims
   * it stands for.
   */
  readonly subject?: string | undefined
  /** The instance. Default: `https://gitlab.com`. */
  readonly issuer?: string | undefined
}

const issuer = 'https://gitlab.com'

/** Started by those who may push to the project. Not here: merge requests, which run what their authors wrote. */
const membersSources = ['push', 'web', 'schedule', 'api', 'trigger', 'pipeline']

export const gitlabCiChecks = {
  ...presetChecks,
  project_id: number("the project's id"),
  namespace_id: number("the group's id"),
  ref: anyOf('a branch or tag as GitLab says it, such as main', ref => !ref.startsWith('refs/')),
  ref_type: oneOf(['branch', 'tag']),
  ref_protected: flag(),
  environment: anyOf("an environment's name"),
  environment_protected: flag(),
  pipeline_source: anyOf("a pipeline's source"),
  runner_environment: oneOf(['gitlab-hosted', 'self-hosted']),
  subject: text(),
  issuer: textLike('an https URL', isHttps)
} satisfies Checks<GitlabCiOptions>

const refuse = refusing('gitlabCi')

/** See {@link gitlabCi}. */
export interface GitlabCi {
  /** @throws ConfigurationError naming the option that is wrong, or missing. */
  (options: GitlabCiOptions): FederatedCredential
  /**
   * The issuer of gitlab.com, for `workloads.issuers`. That of another instance is `{ issuer:
   * 'https://gitlab.example.com' }`.
   */
  readonly issuer: WorkloadIssuer
}

/**
 * The credential of a client that runs as a job of GitLab CI/CD. It names the project by number, since its path can be
 * used again by somebody else, and refuses a rule that would let every branch of it in.
 *
 * @example
 * gitlabCi({ project_id: '4711', ref: 'main', ref_protected: true })
 */
export const gitlabCi: GitlabCi = Object.assign(
  (options: GitlabCiOptions): FederatedCredential => {
    const read = withSubject(readOptions(options, gitlabCiChecks, 'gitlabCi.'))
    const { project_id, namespace_id, ref, environment, runner_environment } = read
    if (project_id === undefined)
      refuse('project_id', 'must be given: the path of a project can be used again, its number cannot')
    if (ref === undefined && environment === undefined && read.ref_protected !== true)
      refuse('ref', 'or environment, or ref_protected must be given: without one, every branch of the project would do')
    const claims = {
      project_id,
      namespace_id,
      ref,
      ref_type: read.ref_type ?? (ref === undefined ? undefined : 'branch'),
      ref_protected: inWords(read.ref_protected),
      environment,
      environment_protected: inWords(read.environment_protected),
      pipeline_source: read.pipeline_source ?? membersSources,
      runner_environment
    }
    return credential(read, { issuer: read.issuer ?? issuer, claims }, refuse)
  },
  { issuer: { issuer } }
)

/** GitLab says yes and no as texts. */
function inWords(value: boolean | undefined): string | undefined {
  return value === undefined ? undefined : String(value)
}

type Options = Read<typeof gitlabCiChecks>

/** The claims a subject stands for, in the place of those that were not given. */
function withSubject(options: Options): Options {
  if (options.subject === undefined) return options
  const [match, ref_type, ref] = /^project_path:[^:]+:ref_type:(branch|tag):ref:(.+)$/.exec(options.subject) ?? []
  if (match === undefined)
    refuse('subject', 'must be of the form GitLab writes by default; say the claims of another form one by one')
  if (options.ref !== undefined && options.ref !== ref) refuse('ref', `must be what subject says, ${ref}`)
  if (options.ref_type !== undefined && options.ref_type !== ref_type)
    refuse('ref_type', `must be what subject says, ${ref_type}`)
  return { ...options, ref, ref_type: ref_type === 'tag' ? 'tag' : 'branch' }
}
