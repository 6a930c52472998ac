/** What every command has in common: names, arguments, help and exit codes. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { command, type Terminal } from '../../cli/command.ts'
import { commands } from '../../cli/commands.ts'
import { clientele } from './terminal.ts'

describe('clientele', () => {
  it('lists its commands', async () => {
    const { code, out, err } = await clientele(['--help'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    for (const [name, { summary }] of Object.entries(commands)) expect(out).toMatch(new RegExp(`^  ${name} +${summary}$`, 'm'))
  })

  it('has all of them in its page of the documentation, as its list does', () => {
    const page = readFileSync('docs/command-line.md', 'utf8')
    const rows = [...page.matchAll(/^\| `([^`]+)` \| (.+) \|$/gm)].map(([, name = '', summary = '']) => [name, summary])
    expect(Object.fromEntries(rows)).toMatchObject(
      Object.fromEntries(Object.entries(commands).map(([name, { summary }]) => [name, summary]))
    )
  })

  it('says its version', async () => {
    expect(await clientele(['--version'])).toEqual({ code: 0, out: '0.0.0-spec\n', err: '' })
  })

  it.each([[[]], [['nothing']], [['constructor']], [['--nothing']], [['hash-secre']]])(
    'refuses %j with its list',
    async given => {
      const { code, out, err } = await clientele(given)
      expect({ code, out }).toEqual({ code: 2, out: '' })
      expect(err).toContain('Usage: clientele COMMAND')
    }
  )

  it.each(Object.keys(commands))('has help for %s, asked for in each way', async name => {
    const words = name.split(' ')
    const { code, out, err } = await clientele([...words, '--help'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(new RegExp(`^Usage: clientele ${name}\\b`))
    expect((await clientele(['help', ...words])).out).toBe(out)
    expect((await clientele([...words, '-h'])).out).toBe(out)
  })

  it.each(Object.keys(commands))('has no line of help for %s that a terminal would break', async name => {
    const { out } = await clientele(['help', ...name.split(' ')])
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(120)
  })

  it.each(Object.keys(commands))('refuses of %s what it does not know', async name => {
    const { code, out, err } = await clientele([...name.split(' '), '--no-such-option'])
    expect({ code, out, err }).toEqual({ code: 2, out: '', err: `clientele ${name}: Unknown option '--no-such-option'\n` })
  })

  it('runs as a program, with exit codes of its own', () => {
    const run = (...given: string[]) => spawnSync(process.execPath, ['cli/bin.mjs', ...given], { encoding: 'utf8', input: '' })
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
    expect(run('--version')).toMatchObject({ status: 0, stdout: `${version}\n` })
    expect(run('hash-secret')).toMatchObject({ status: 2, stdout: '' })
    // where nothing is built yet it builds first
  }, 120_000)
})

describe('a command', () => {
  const calls: unknown[] = []
  const { run, help } = command({
    arguments: ['FILE', '[OTHER]'],
    options: {
      format: { type: 'string', values: ['text', 'json'], default: 'text', help: 'how it answers' },
      by: { type: 'string', placeholder: 'NAME', help: 'who does it' },
      scope: { type: 'string', multiple: true, help: 'what for' },
      force: { type: 'boolean', help: 'whatever there is' }
    },
    description: 'Does something.',
    run: ({ arguments: given, options }) => {
      calls.push([given, options])
      return Promise.resolve(0)
    }
  })
  const called = async (...given: string[]) => {
    await run(given, {} as Terminal)
    return calls.pop()
  }

  const [one, two] = ['-G_kd3mBfQ0aZ1xYtWvRe', '--9uKd3mBfQ0aZ1xYtWvRe']
  it.each([
    [[one, two, '--by', 'me']],
    [['--by=me', one, two]],
    [['--by', 'me', one, '--', two]],
    [['--by', 'me', '--', one, two]]
  ])('takes ids for what they are that begin with dashes: %j', async given => {
    expect(await called(...given)).toEqual([[one, two], { format: 'text', by: 'me', scope: [], force: false }])
  })

  it('takes ids for values of options that begin with dashes', async () => {
    expect(await called('a', '--by', one, '--scope', two, '--scope', 'x')).toEqual([
      ['a'],
      { format: 'text', by: one, scope: [two, 'x'], force: false }
    ])
    expect(await called('--force', one)).toEqual([[one], { format: 'text', by: undefined, scope: [], force: true }])
  })

  it('takes no misspelt option for an id', async () => {
    await expect(called('a', '--format_of_the_answer', 'json')).rejects.toThrow("Unknown option '--format_of_the_answer'")
  })

  it('is called with what was given, and with its defaults', async () => {
    expect(await called('a.json')).toEqual([['a.json'], { format: 'text', by: undefined, scope: [], force: false }])
    const given = ['a', '--format', 'json', '--by=me', '--scope', 'x', '--scope', 'y', '--force', '--', '--b']
    expect(await called(...given)).toEqual([['a', '--b'], { format: 'json', by: 'me', scope: ['x', 'y'], force: true }])
  })

  it.each([
    [[], 'FILE must be given'],
    [['a', 'b', 'c'], 'takes no argument "c"'],
    [['a', 'b', 'c\nd'], 'takes no argument "c d"'],
    [['a', '--format'], "Option '--format <value>' argument missing"],
    [['a', '--format', 'xml'], '--format must be text or json'],
    [['a', '--format='], '--format must be text or json'],
    [['a', '--force=yes'], "Option '--force' does not take an argument"],
    [['a', '-f'], "Unknown option '-f'"]
  ])('refuses %j', async (given, message) => {
    await expect(called(...given)).rejects.toMatchObject({ name: 'CommandError', message, exitCode: 2 })
  })

  it('says in its help what it takes', () => {
    expect(help('do')).toBe(`Usage: clientele do FILE [OTHER] [options]

Does something.

  --format text|json  how it answers (default: text)
  --by NAME           who does it
  --scope VALUE       what for (may be repeated)
  --force             whatever there is
`)
  })
})

describe('hash-secret', () => {
  it('prints what may be kept of the line it reads', async () => {
    const { code, out } = await clientele(['hash-secret'], 'wonderland\r\n')
    expect(code).toBe(0)
    expect(out).toMatch(/^\$scrypt\$ln=14,r=8,p=5\$[\w-]{22}\$[\w-]{43}\n$/)
    expect((await clientele(['hash-secret'], 'wonderland')).out).not.toBe(out)
  })

  it.each([
    ['', 'a secret must be given on the standard input'],
    ['\n', 'a secret must be given on the standard input'],
    ['two\nlines', 'the standard input must be one line'],
    ['x'.repeat(100_000), 'the standard input must be one line of at most 1024 characters'],
    ['x'.repeat(1025), 'the standard input must be one line of at most 1024 characters']
  ])('refuses an input that is no secret', async (input, reason) => {
    expect(await clientele(['hash-secret'], input)).toEqual({ code: 2, out: '', err: `clientele hash-secret: ${reason}\n` })
  })

  it('takes no secret as an argument, where everybody could read it', async () => {
    const { code, err } = await clientele(['hash-secret', 'wonderland'])
    expect(code).toBe(2)
    expect(err).toContain('takes no argument')
  })
})
