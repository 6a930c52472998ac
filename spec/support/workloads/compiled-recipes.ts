/** The recipes of docs/clients in languages that are compiled: all of a page in one program, which says for each what token it got. */
import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { blocksOf, recipesOf, type Kitchen, type Recipe } from './recipes.ts'

const run = promisify(execFile)
const timeout = 240_000

/** A token for each title, or what went wrong. */
type Tokens = ReadonlyMap<string, string>

const read = (printed: string): Tokens =>
  new Map(
    printed
      .trim()
      .split('\n')
      .map(line => line.split('\t') as [string, string])
  )

/** Writes files into a folder that is new. */
function project(kitchen: Kitchen, name: string, files: Readonly<Record<string, string>>): string {
  const folder = join(kitchen.folderOf(name))
  mkdirSync(folder, { recursive: true })
  for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), content)
  return folder
}

/** Around the recipes there is the page's first block, which belongs to none of them. */
const around = (page: string, language: string, kitchen: Kitchen): string =>
  kitchen.localised({ title: 'around', code: blocksOf(page, language)[0] ?? '' })

/** A path that works from any folder, since each recipe has its own. */
const absolute = (kitchen: Kitchen, { title, code }: Recipe): string =>
  kitchen.localised({ title, code: code.replace(/"(client\.(?:key|crt))"/g, `"${kitchen.folderOf(title)}/$1"`) })

export async function goTokens(kitchen: Kitchen): Promise<Tokens> {
  const recipes = recipesOf('go.md', 'go')
  const calls = recipes.map(({ title, code }) => {
    const [, name = ''] = /^func (\w+)\(\) \(string, error\)/m.exec(code) ?? []
    return `report(${JSON.stringify(title)}, ${name})`
  })
  const main = `package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

func signIn(address string) (*url.URL, error) {
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	answer, err := (&http.Client{CheckRedirect: stay}).Get(address)
	if err != nil {
		return nil, err
	}
	return answer.Location()
}

func report(title string, recipe func() (string, error)) {
	token, err := recipe()
	if err != nil {
		token = strings.ReplaceAll(err.Error(), "\\n", " ")
	}
	fmt.Printf("%s\\t%s\\n", title, token)
}

func main() {
	${calls.join('\n\t')}
}
`
  const files = Object.fromEntries(recipes.map((recipe, index) => [`recipe${index}.go`, absolute(kitchen, recipe)]))
  const folder = project(kitchen, 'go', {
    ...files,
    'around.go': around('go.md', 'go', kitchen),
    'main.go': main,
    'go.mod': 'module recipes\n\ngo 1.19\n'
  })
  const env = { ...kitchen.env, GOTOOLCHAIN: 'local', GOFLAGS: '-buildvcs=false' }
  await run('go', ['build', '-o', 'recipes', '.'], { cwd: folder, env, timeout })
  return read((await run(join(folder, 'recipes'), [], { env, timeout })).stdout)
}

export async function javaTokens(kitchen: Kitchen): Promise<Tokens> {
  const recipes = recipesOf('java.md', 'java').filter(({ title }) => title !== 'Client certificates')
  const classOf = (code: string): string => /^final class (\w+)/m.exec(code)?.[1] ?? ''
  const calls = recipes.map(({ title, code }) => `report(${JSON.stringify(title)}, ${classOf(code)}::token);`)
  const main = `import java.net.URI;
import java.net.http.*;
import java.util.*;
import java.util.concurrent.Callable;
import java.util.stream.*;

final class Browser {
    static Map<String, String> signIn(String address) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(address)).build();
        var answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.discarding());
        return Stream.of(URI.create(answer.headers().firstValue("location").get()).getQuery().split("&"))
            .map(pair -> pair.split("=", 2)).collect(Collectors.toMap(pair -> pair[0], pair -> pair[1]));
    }
}

final class Main {
    static void report(String title, Callable<String> recipe) {
        String token;
        try {
            token = recipe.call();
        } catch (Exception error) {
            token = error.toString().replace("\\n", " ");
        }
        System.out.println(title + "\\t" + token);
    }

    public static void main(String[] arguments) {
        ${calls.join('\n        ')}
    }
}
`
  const [, ...blocks] = blocksOf('java.md', 'java')
  const certificate = blocks.at(-1) ?? ''
  const files = Object.fromEntries(recipes.map(recipe => [`${classOf(recipe.code)}.java`, absolute(kitchen, recipe)]))
  const folder = project(kitchen, 'java', {
    ...files,
    'TokenRequest.java': around('java.md', 'java', kitchen),
    [`${classOf(certificate)}.java`]: certificate,
    'Main.java': main
  })
  const options = { cwd: folder, env: kitchen.env, timeout }
  const sources = [...Object.keys(files), 'TokenRequest.java', 'ClientCertificate.java', 'Main.java']
  const store = ['-keystore', 'trusted.p12', '-storepass', 'changeit']
  const authority = kitchen.env['NODE_EXTRA_CA_CERTS'] ?? ''
  await Promise.all([
    run('javac', ['-proc:none', ...sources], options),
    run('keytool', ['-importcert', '-noprompt', '-alias', 'as', '-file', authority, ...store], options)
  ])
  const trust = ['-Djavax.net.ssl.trustStore=trusted.p12', '-Djavax.net.ssl.trustStorePassword=changeit']
  return read((await run('java', ['-XX:TieredStopAtLevel=1', ...trust, '-cp', '.', 'Main'], options)).stdout)
}
