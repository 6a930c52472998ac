/** What is written to stderr while something runs, under an environment of its own. */

/** Runs it with these environment variables, and resolves to the lines it had written. */
export async function linesOf(
  env: Readonly<Record<string, string | undefined>>,
  run: () => Promise<unknown>
): Promise<readonly string[]> {
  const before = Object.fromEntries(Object.keys(env).map(name => [name, process.env[name]]))
  const { error } = console
  const lines: string[] = []
  console.error = (...written: unknown[]) => void lines.push(...written.map(String))
  try {
    setAll(env)
    await run()
  } finally {
    console.error = error
    setAll(before)
  }
  return lines
}

function setAll(env: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined) Reflect.deleteProperty(process.env, name)
    else process.env[name] = value
  }
}
