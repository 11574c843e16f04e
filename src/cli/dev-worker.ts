// A thread in which `sluice dev` loads and previews a module: what a thread has loaded once stays as it was.

import * as modules from 'node:module'
import { fileURLToPath } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'
import { messageOf } from '../base/errors.ts'
import type { PreviewedSteps } from '../pipeline/preview-steps.ts'
import { stampOf } from './file-stamp.ts'
import { previewFile } from './preview.ts'
import type { PreviewOptions } from './preview-options.ts'

/** What the thread is given. */
export type DevTask = Pick<PreviewOptions, 'params' | 'rows' | 'records'> & { readonly file: string }

/** What it tells. */
export type DevNews =
  /** A file that the module consists of, and how it was when it was loaded. */
  | { readonly kind: 'loaded'; readonly path: string; readonly stamp: string }
  | { readonly kind: 'previewed'; readonly preview: PreviewedSteps }
  | { readonly kind: 'failed'; readonly message: string }

const tell = (news: DevNews): void => parentPort?.postMessage(news)

function tellLoaded(url: string): void {
  if (!url.startsWith('file:') || url.includes('/node_modules/')) return
  const path = fileURLToPath(url)
  tell({ kind: 'loaded', path, stamp: stampOf(path) })
}

modules.registerHooks({
  resolve: (specifier, context, next) => {
    try {
      return next(specifier, context)
    } catch (error) {
      // It may come later.
      if (specifier.startsWith('.')) tellLoaded(new URL(specifier, context.parentURL).href)
      throw error
    }
  },
  load: (url, context, next) => {
    tellLoaded(url)
    return next(url, context)
  },
})
try {
  tell({ kind: 'previewed', preview: await previewFile(workerData as DevTask) })
} catch (error) {
  tell({ kind: 'failed', message: messageOf(error) })
}
