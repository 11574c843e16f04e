// Compiles modules as a strict project of a user's would.

import { join } from 'node:path'
import ts from 'typescript-5'
import { ROOT } from './project.ts'

/** The options of a strict project. */
export const STRICT: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2024,
  lib: ['lib.esnext.d.ts'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  types: ['node'],
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  verbatimModuleSyntax: true,
  erasableSyntaxOnly: true,
  allowImportingTsExtensions: true,
  noEmit: true,
  skipLibCheck: true,
  customConditions: ['sluice-source'],
}

/**
 * What TypeScript 5.9 finds in modules that lie nowhere: `file:line: message`.
 *
 * @param modules - path in a folder beside the project's tests → text
 */
export function compileStrictly(modules: ReadonlyMap<string, string>): string[] {
  const folder = join(ROOT, 'test', 'in-memory')
  const texts = new Map([...modules].map(([path, text]) => [join(folder, path), text]))
  const host = ts.createCompilerHost(STRICT)
  const { getSourceFile, fileExists, readFile } = host
  host.getSourceFile = (path, version, ...more) => {
    const text = texts.get(path)
    return text === undefined ? getSourceFile(path, version, ...more) : ts.createSourceFile(path, text, version)
  }
  host.fileExists = (path) => texts.has(path) || fileExists(path)
  const { directoryExists } = host
  host.directoryExists = (path) => path.startsWith(folder) || directoryExists?.(path) === true
  host.readFile = (path) => texts.get(path) ?? readFile(path)
  const program = ts.createProgram([...texts.keys()], STRICT, host)
  const own = [...texts.keys()].flatMap((path) => {
    const file = program.getSourceFile(path)
    return file === undefined ? [] : [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]
  })
  return own.slice(0, 20).map(({ file, start = 0, messageText }) => {
    const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start).line + 1
    return `${file?.fileName.slice(folder.length + 1)}:${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
  })
}
