// The job of a worker: imported from where it is on this host, and refused if it is not the one that was submitted.

import { isAbsolute, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SluiceError } from '../../base/errors.ts'
import { PIPELINE_LAYOUT } from '../../pipeline/load.ts'
import { type LaidOut, layOutFor, sha256Of } from '../plan/laid-out.ts'
import type { SentJob } from '../plan/task.ts'

/** Each job once: a worker is asked for it by every bundle. */
export class FoundJobs {
  readonly #root: string
  readonly #found = new Map<string, Promise<LaidOut>>()

  /**
   * @param root - modules below this folder can be run, and no others
   */
  constructor(root: string) {
    this.#root = root
  }

  /** @throws {SluiceError} FLOW_MISMATCH if the module, or what it makes, differs from what was submitted */
  find(job: SentJob): Promise<LaidOut> {
    const key = JSON.stringify(job)
    const found = this.#found.get(key) ?? load(job, this.#root)
    this.#found.set(key, found)
    return found
  }
}

async function load(
  { module, name, params, moduleSha256, fingerprint, shards }: SentJob,
  root: string,
): Promise<LaidOut> {
  const path = fileURLToPath(module)
  if (!isBelow(path, root))
    throw mismatch(path, `this worker runs modules below ${root}`, 'start it with another --root')
  if ((await hashOf(module, path)) !== moduleSha256) {
    throw mismatch(path, 'its text differs from the module that was submitted', 'copy the same file to every host')
  }
  const given = new Map(Object.entries(params))
  const laidOut = await layOutFor({ module, name, params: given, laidOutBy: PIPELINE_LAYOUT }, shards)
  if (laidOut.fingerprint === fingerprint) return laidOut
  const found = `its pipeline is laid out as ${laidOut.fingerprint}, and was submitted as ${fingerprint}`
  throw mismatch(
    path,
    found,
    'see that what it imports, and what it reads of its environment, is the same on every host',
  )
}

async function hashOf(module: string, path: string): Promise<string> {
  try {
    return await sha256Of(module)
  } catch {
    throw mismatch(
      path,
      'there is no such file on the host of this worker',
      'put it where it is on the submitting host',
    )
  }
}

function isBelow(path: string, root: string): boolean {
  const way = relative(root, path)
  return way !== '' && !way.startsWith('..') && !isAbsolute(way)
}

function mismatch(module: string, found: string, way: string): SluiceError<'FLOW_MISMATCH'> {
  return new SluiceError('FLOW_MISMATCH', `Cannot run ${module}: ${found}; ${way}`, { module, found })
}
