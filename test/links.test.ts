// Links of the documents lead to files and headings that are there.

import { deepEqual, ok } from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, it } from 'node:test'
import { ROOT, readTree } from './support/project.ts'

const pages = new Map([
  ...['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md'].map((path): [string, string] => [
    path,
    readFileSync(join(ROOT, path), 'utf8'),
  ]),
  ...[...readTree('docs', '.md')].map(([path, text]): [string, string] => [`docs/${path}`, text]),
])

/** Targets of a page's links into the project, without examples: `docs/guide/05-flows.md#aggregates`. */
function linksOf(path: string, text: string): string[] {
  const prose = text.replace(/^( *)```[\s\S]*?^\1```/gm, '')
  const targets = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [file = '', heading] = target.split('#')
      const found = file === '' ? path : relative(ROOT, join(ROOT, dirname(path), file))
      return heading === undefined ? found : `${found}#${heading}`
    })
}

/** The names under which a page's headings are linked to, as GitHub makes them. */
function headingsOf(text: string): string[] {
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading)
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

describe('links in the documents', () => {
  it('lead to files and headings', () => {
    const links = [...pages].flatMap(([path, text]) => linksOf(path, text).map((link) => ({ path, link })))
    ok(links.length > 100)
    const broken = links.filter(({ link }) => {
      const [file = '', heading] = link.split('#')
      if (heading === undefined) return !existsSync(join(ROOT, file))
      return !headingsOf(pages.get(file) ?? '').includes(heading)
    })
    deepEqual(broken, [])
  })

  it('lead from what is published only to what is published', () => {
    const { files } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    const published = /^(README|CHANGELOG|docs)\b/
    const outside = [...pages]
      .filter(([path]) => published.test(path))
      .flatMap(([path, text]) => linksOf(path, text).map((link) => ({ path, link })))
      .filter(({ link }) => !published.test(link) && !files.some((file: string) => link.startsWith(`${file}/`)))
    deepEqual(outside, [])
  })
})
