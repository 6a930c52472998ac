/** Every check has its page, every page its check, and what the pages show is what a server says. */
import { describe, expect, it } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { checkNames, checkSections, type Check } from '../lib/index.ts'
import { endpoint, needed, refusals } from './support/checks/refusals.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = join(root, 'docs', 'errors')
const pageOf = (check: string): string => readFileSync(join(folder, `${check}.md`), 'utf8')

interface Naming {
  readonly name: string
  readonly sections: readonly string[]
  readonly where: string
}

const recording = new Set(['pass', 'fail', 'refuse', 'refuseAs', 'report', 'announce'])

/** What the library's source names: in calls on a `decision`, and in the lists of checks. */
const namings: readonly Naming[] = readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' })
  .filter(file => file.endsWith('.ts'))
  .flatMap(file => namingsOf(join('lib', file)))

function namingsOf(path: string): readonly Naming[] {
  const source = ts.createSourceFile(path, readFileSync(join(root, path), 'utf8'), ts.ScriptTarget.ESNext, true)
  const found: Naming[] = []
  const visit = (node: ts.Node): void => {
    const lists: ts.Node[] = []
    if (ts.isCallExpression(node) && isRecording(node.expression)) {
      const [first, detail] = node.arguments
      if (first !== undefined && ts.isStringLiteral(first))
        found.push({ name: first.text, sections: detail === undefined ? [] : sectionsIn(detail), where: path })
      else if (first !== undefined) lists.push(first)
    }
    if (ts.isVariableDeclaration(node) && /checks$/i.test(node.name.getText()) && node.initializer) lists.push(node.initializer)
    if (ts.isPropertyAssignment(node) && node.name.getText() === 'checks') lists.push(node.initializer)
    for (const name of lists.flatMap(elementsOf)) found.push({ name, sections: [], where: path })
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

function isRecording(callee: ts.Node): boolean {
  return ts.isPropertyAccessExpression(callee) && callee.expression.getText() === 'decision' && recording.has(callee.name.text)
}

/** The strings of a list that is written out, whatever stands around it. */
function elementsOf(node: ts.Node): readonly string[] {
  if (ts.isAsExpression(node)) return elementsOf(node.expression)
  if (!ts.isArrayLiteralExpression(node)) return []
  return node.elements.filter(ts.isStringLiteral).map(({ text }) => text)
}

/** The `section` of a detail, where it is written out. */
function sectionsIn(detail: ts.Node): readonly string[] {
  if (!ts.isObjectLiteralExpression(detail)) return []
  return detail.properties.flatMap(property =>
    ts.isPropertyAssignment(property) && property.name.getText() === 'section' && ts.isStringLiteral(property.initializer)
      ? [property.initializer.text]
      : []
  )
}

describe('the list of checks', () => {
  it('has every check the source names', () => {
    expect(namings.filter(({ name }) => !Object.hasOwn(checkSections, name))).toEqual([])
  })

  it('has no check the source does not name', () => {
    const named = new Set(namings.map(({ name }) => name))
    expect(checkNames.filter(name => !named.has(name))).toEqual([])
  })

  it('and the pages are of the same names', () => {
    const pages = readdirSync(folder).filter(file => file !== 'README.md')
    expect(pages.sort()).toEqual(checkNames.map(name => `${name}.md`).sort())
  })

  it('is the index, in the same order', () => {
    const rows = [...pageOf('README').matchAll(/^\| \[`(\w+)`\]\((\w+)\.md\) \|/gm)].map(([, label, target]) => [label, target])
    expect(rows).toEqual(checkNames.map(name => [name, name]))
  })
})

describe.each(checkNames)('the page of %s', name => {
  const page = pageOf(name)

  it('has its name, what to do on either side, and the sections that are given', () => {
    expect(page.startsWith(`# \`${name}\`\n`)).toBe(true)
    expect([...page.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading)).toEqual([
      'How it comes about',
      'What to do on the client’s side',
      'What to do on the server’s side'
    ])
    const sections = [checkSections[name], ...namings.filter(naming => naming.name === name).flatMap(({ sections }) => sections)]
    expect(sections.filter(section => !page.includes(section))).toEqual([])
  })

  it('shows what a server records, and is where development mode points', async () => {
    const to = await endpoint({ ...needed[name], developmentErrors: true, errorPages: 'https://wiki.example.com/errors' })
    const { status, body } = await refusals[name](to)
    const decision = to.decisions.at(-1)
    const failed = decision?.checks.find(({ outcome }) => outcome === 'fail')
    expect(shown(page)).toEqual(failed && alike(failed))
    expect(failed?.check).toBe(name)
    expect(failed?.section).toBe(checkSections[name])
    expect(status).toBeGreaterThanOrEqual(400)
    expect(body).toEqual({
      error: expect.any(String),
      error_description: expect.any(String),
      error_uri: `https://wiki.example.com/errors/${name}.md`,
      decision: JSON.parse(JSON.stringify(decision)) as unknown
    })
  })

  it('is of something nobody hears of otherwise', async () => {
    const to = await endpoint(needed[name])
    const { body } = await refusals[name](to)
    expect(Object.keys(body as object)).toEqual(['error', 'error_description'])
    expect(JSON.stringify(body)).not.toContain(to.decisions.at(-1)?.trace_id)
  })
})

/** The record of the page's example. */
function shown(page: string): Check {
  const [, json = ''] = /^```json\n(.*?)^```$/ms.exec(page) ?? []
  const check = JSON.parse(json) as Check
  return alike(check)
}

function alike({ expected, received, ...check }: Check): Check {
  return {
    ...check,
    ...(expected !== undefined && { expected: hidden(expected) }),
    ...(received !== undefined && { received: hidden(received) })
  }
}

/** Certificates and keys are made anew for every run. */
function hidden(received: string): string {
  return received.replace(/(?<=x5t#S256:|jkt:)[\w-]{43}/, '…')
}
