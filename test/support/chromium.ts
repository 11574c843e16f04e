// A real browser for tests of the page.

import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'
import { START_MS } from './until.ts'

const PATH = process.env.SLUICE_CHROMIUM ?? '/usr/bin/chromium'

/** The reason to skip a test that needs a browser; false where there is one. */
export const noChromium: string | false = existsSync(PATH)
  ? false
  : `there is no browser at ${PATH} (apt install chromium)`

export async function openBrowser(args: readonly string[] = []): Promise<Browser> {
  return await chromium.launch({ executablePath: PATH, args: ['--no-sandbox', ...args], timeout: START_MS })
}

/** What went wrong in a page: errors of scripts, and what its policy or its address refused. */
export function troublesOf(page: Page): string[] {
  const troubles: string[] = []
  page.on('pageerror', (error) => troubles.push(error.message))
  page.on('dialog', (dialog) => {
    troubles.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('console', (message) => {
    // That the process is gone for a while is part of a test, and browsers tell of it.
    if (message.type() === 'error' && !/ERR_CONNECTION|ERR_INCOMPLETE|ERR_EMPTY/.test(message.text()))
      troubles.push(message.text())
  })
  return troubles
}
