import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { fanOut, pipeline, sqliteSink, startPipeline, valuesSource } from 'sluice'
import type { CheckpointSummary } from '../src/connect/sink.ts'
import { NO_TOTALS } from '../src/connect/totals.ts'
import { type Dashboard, startDashboard } from '../src/dashboard/dashboard.ts'
import { watchedRun } from '../src/dashboard/watched.ts'
import { snapshotOf } from '../src/testing/snapshot-of.ts'
import load from './jobs/load.ts'
import { noChromium, openBrowser, troublesOf } from './support/chromium.ts'
import { fakeRun, letterOf } from './support/watched.ts'

const HOSTILE = '<img src=x onerror=alert(1)>'
const WAIT = { timeout: 60_000 }

describe('the page of the dashboard', { skip: noChromium }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-page-'))
  let browser: Browser
  before(async () => {
    browser = await openBrowser()
  })
  after(async () => {
    await browser?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  interface Look {
    readonly page: Page
    readonly troubles: readonly string[]
    readonly dashboard: Dashboard
  }

  async function looking(
    runs: Parameters<Dashboard['watch']>[0][],
    look: (look: Look) => Promise<void>,
    { width = 1280, token }: { readonly width?: number; readonly token?: string } = {},
  ): Promise<void> {
    const dashboard = await startDashboard(token === undefined ? {} : { token })
    for (const run of runs) dashboard.watch(run)
    const context = await browser.newContext({ viewport: { width, height: 800 } })
    const page = await context.newPage()
    const troubles = troublesOf(page)
    try {
      await page.goto(dashboard.url)
      await look({ page, troubles, dashboard })
    } finally {
      await context.close()
      await dashboard.close()
    }
  }

  const figure = (page: Page, name: string) => page.locator('.figure', { hasText: name }).locator('.value')

  it("shows a pipeline's true figures, steers it, and says how it ended", async () => {
    const input = join(folder, 'in.log')
    writeFileSync(input, `bad ${HOSTILE}\n${'good\n'.repeat(999)}`)
    const params = new Map(Object.entries({ input, as: 'tail', out: join(folder, 'out.db') }))
    await using run = await startPipeline(load, { params, epochMs: 50 })
    await looking([watchedRun(run, load, params)], async ({ page, troubles }) => {
      await figure(page, 'Loaded').filter({ hasText: /^999$/ }).waitFor(WAIT)
      equal(await figure(page, 'Dead letters').textContent(), '1')
      deepEqual(await page.locator('.card .kind > :last-child').allTextContents(), ['1 stage', '1 stage'])
      await page.getByRole('button', { name: 'Pause' }).click()
      await page.getByRole('button', { name: 'Resume' }).waitFor(WAIT)
      appendFileSync(input, 'good\n'.repeat(5))
      await page.locator('.state.paused').waitFor(WAIT)
      equal(run.progress().committed.loaded, 999)
      await page.getByRole('button', { name: 'Resume' }).click()
      await figure(page, 'Loaded').filter({ hasText: '1,004' }).waitFor(WAIT)
      await page.getByRole('tab', { name: 'Dead letters' }).click()
      await page.getByText(`bad ${HOSTILE}`).waitFor(WAIT)
      await page.getByRole('tab', { name: 'Checkpoint' }).click()
      await page.getByText(/^epoch \d+, by process/).waitFor(WAIT)
      await page.getByRole('button', { name: 'Drain' }).click()
      await page.getByRole('button', { name: 'Keep it running' }).click()
      equal(run.snapshot().state, 'running')
      await page.getByRole('button', { name: 'Drain' }).click()
      await page.getByRole('button', { name: 'Drain it' }).click()
      equal((await run.done).outcome, 'drained')
      await page.locator('.state.drained').waitFor(WAIT)
      equal(await page.getByRole('button', { name: 'Drain' }).isDisabled(), true)
      deepEqual(troubles, [])
    })
  })

  it('shows what each of several sinks has refused, and where it stands', async () => {
    const rows = [{ n: '1' }, { n: 'none' }]
    const into = fanOut(sqliteSink<{ n: string }>(join(folder, 'first.db'), { table: 't', columns: { n: 'text' } }), {
      spool: join(folder, 'spool'),
      branches: {
        numbers: { into: sqliteSink(join(folder, 'numbers.db'), { table: 't', columns: { n: 'real' } }) },
        all: { into: sqliteSink(join(folder, 'all.db'), { table: 't', columns: { n: 'text' } }) },
      },
    })
    const job = pipeline('branched', { from: () => valuesSource(rows), into: () => into })
    await using run = await startPipeline(job)
    await run.done
    for (const width of [1280, 360]) {
      await looking(
        [watchedRun(run, job), fakeRun()],
        async ({ page, troubles }) => {
          await page.getByRole('tab', { name: 'Dead letters' }).click()
          await page.getByText('No dead letters.').waitFor(WAIT)
          const choice = page.getByRole('combobox', { name: 'Refused by' })
          deepEqual(await choice.locator('option').allTextContents(), [
            'the pipeline and its first sink',
            'numbers',
            'all',
          ])
          await choice.focus()
          await page.keyboard.press('ArrowDown')
          await page.getByText('2 rejected by numbers').waitFor(WAIT)
          deepEqual(await page.locator('.letters pre').allTextContents(), ['{"n":"1"}', '{"n":"none"}'])
          await choice.selectOption('all')
          await page.getByText('0 rejected by all').waitFor(WAIT)
          equal(await page.locator('.letters li').count(), 0)
          await page.getByRole('tab', { name: 'Checkpoint' }).click()
          const branches = page.getByRole('table', { name: '2 branches' }).locator('tbody tr')
          await branches.first().waitFor(WAIT)
          const cells = await branches.evaluateAll((rows) =>
            rows.map((row) => [...row.children].map((cell) => `${cell.textContent}`)),
          )
          deepEqual(
            cells.map((row) => row.slice(0, 3).join(' ')),
            ['numbers 0 2', 'all 2 0'],
          )
          for (const row of cells) match(row[3] ?? '', /^epoch \d+, by process \d+ on .+ at /)
          deepEqual(troubles, [])
        },
        { width },
      )
    }
  })

  it('C126: shows the total of the copies that share a pipeline, each of them, and which never started', async () => {
    const totals = (loaded: number) => ({ ...NO_TOTALS, read: loaded, loaded })
    const by = { epoch: 2, committed: 'epoch 2, by process 7 on web1 at noon', holder: 'process 7 on web1' }
    const missing = { epoch: 0, committed: undefined, holder: undefined, totals: totals(0), isMissing: true }
    const found: CheckpointSummary = {
      ...by,
      totals: totals(1204),
      positions: new Map([['day/a.log', 12]]),
      states: new Map(),
      shards: [
        { ...by, shard: '0/2', totals: totals(1204), isMissing: false },
        { ...missing, shard: '1/2' },
      ],
    }
    const run = fakeRun({ shard: '0/2' })
    const inspect = async (branch: string | undefined) => {
      return { ...(await run.inspect(branch)), checkpoint: async () => found }
    }
    await looking([{ ...run, inspect }], async ({ page, troubles }) => {
      await page.getByRole('heading', { name: 'orders 0/2' }).waitFor(WAIT)
      await page.getByRole('tab', { name: 'Checkpoint' }).click()
      const rows = page.getByRole('table', { name: '2 shards, 1 missing' }).locator('tbody tr')
      await rows.first().waitFor(WAIT)
      const cells = await rows.evaluateAll((all) => all.map((row) => [...row.children].map((cell) => cell.textContent)))
      deepEqual(cells, [
        ['0/2', '1,204', '0', by.committed, by.holder],
        ['1/2', '0', '0', 'Missing: it never started.', ''],
        ['All', '1,204', '0', '', ''],
      ])
      deepEqual(troubles, [])
    })
  })

  it('S11: shows hostile text as text, wherever it comes from', async () => {
    const run = fakeRun(
      {
        pipeline: HOSTILE,
        source: HOSTILE,
        sink: HOSTILE,
        state: 'failed',
        error: HOSTILE,
        notices: [{ atMs: 0, kind: 'noted', text: HOSTILE }],
        layers: snapshotOf({}).layers.map((layer) => ({ ...layer, title: HOSTILE })),
      },
      [letterOf(0, { step: HOSTILE, reason: HOSTILE, origin: { source: HOSTILE, line: 1, offset: 0, raw: HOSTILE } })],
    )
    await looking([run, fakeRun()], async ({ page, troubles }) => {
      await page.locator('main').waitFor(WAIT)
      for (const tab of ['Stages', 'Dead letters', 'Checkpoint', 'Events']) {
        await page.getByRole('tab', { name: tab }).click()
        await page.locator('[role=tabpanel] > *').first().waitFor(WAIT)
      }
      await page.getByRole('tab', { name: 'Dead letters' }).click()
      equal(await page.locator('pre').textContent(), HOSTILE)
      equal(await page.locator('[role=alert]').first().textContent(), HOSTILE)
      equal(await page.locator('main img, main script').count(), 0)
      deepEqual(troubles, [])
    })
  })

  it('names the bottleneck', async () => {
    await looking([fakeRun()], async ({ page }) => {
      const named = page.locator('.bottleneck')
      await named.waitFor(WAIT)
      match(`${await named.textContent()}`, /^Layer 1 is the bottleneck: .*orders\.csv, priced.* 90 % of/)
      equal(await page.locator('.card.slowest').count(), 1)
    })
  })

  it('goes on when the process is started again, and says so', async () => {
    const first = await startDashboard()
    first.watch(fakeRun())
    const port = Number(new URL(first.url).port)
    const page = await browser.newPage()
    const troubles = troublesOf(page)
    await page.goto(first.url)
    await page.locator('.tie.live').waitFor(WAIT)
    await first.close()
    await page.getByText(/^The process has ended; trying again\. These figures are from/).waitFor(WAIT)
    equal(await page.getByRole('button', { name: 'Pause' }).isDisabled(), true)
    const run = fakeRun({ startedMs: Date.now(), atMs: Date.now() })
    const second = await startDashboard({ port })
    second.watch(run)
    await page.getByText(/^orders was started again at/).waitFor(WAIT)
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.locator('.tie.live').waitFor(WAIT)
    for (let tries = 0; run.asked.length === 0 && tries < 100; tries += 1) await page.waitForTimeout(20)
    deepEqual(run.asked, ['pause'])
    deepEqual(troubles, [])
    await page.close()
    await second.close()
  })

  it('is right with two hundred stages, and no wider than a small screen', async () => {
    const [layer] = snapshotOf({}).layers
    const [stage] = layer?.stages ?? []
    if (layer === undefined || stage === undefined) throw new Error('the snapshot for tests has a stage')
    const stages = Array.from({ length: 200 }, (_, at) => ({ ...stage, stage: at, received: at }))
    for (const width of [360, 1280]) {
      await looking(
        [fakeRun({ layers: [{ ...layer, stages }] })],
        async ({ page, troubles }) => {
          await page.locator('.stages tbody td').first().waitFor(WAIT)
          equal(await page.locator('.stages tbody tr').count(), 201)
          equal(await page.locator('.stages tbody tr').last().locator('td').nth(3).textContent(), '199')
          ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), `wider than ${width}`)
          deepEqual(troubles, [])
        },
        { width },
      )
    }
  })

  it('is used by keyboard alone, and the focus is seen', async () => {
    const run = fakeRun()
    await looking([run], async ({ page }) => {
      await page.locator('main').waitFor(WAIT)
      const focused = () => page.evaluate('document.activeElement.textContent')
      await page.keyboard.press('Tab')
      equal(await focused(), 'Pause')
      ok(await page.evaluate("getComputedStyle(document.activeElement).outlineStyle === 'solid'"))
      await page.keyboard.press('Tab')
      equal(await focused(), 'Drain')
      await page.keyboard.press('Enter')
      equal(await focused(), 'Keep it running')
      await page.keyboard.press('Escape')
      equal(await focused(), 'Drain')
      await page.keyboard.press('Tab')
      equal(await focused(), 'Stages')
      await page.keyboard.press('ArrowRight')
      equal(await focused(), 'Dead letters')
      await page.keyboard.press('End')
      equal(await focused(), 'Events')
      await page.keyboard.press('ArrowRight')
      equal(await focused(), 'Stages')
      deepEqual(run.asked, [])
    })
  })

  it('asks for the token where there is one', async () => {
    const token = 'a-token-of-enough-length'
    await looking(
      [fakeRun()],
      async ({ page }) => {
        await page.getByLabel('Token of this dashboard').fill('not the token')
        await page.keyboard.press('Enter')
        await page.getByText('The token is wrong').waitFor(WAIT)
        await page.getByLabel('Token of this dashboard').fill(token)
        await page.keyboard.press('Enter')
        await page.locator('.tie.live').waitFor(WAIT)
        await page.reload()
        await page.locator('.tie.live').waitFor(WAIT)
        ok(!page.url().includes(token))
      },
      { token },
    )
  })
})
