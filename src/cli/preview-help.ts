// Help for the commands that try a pipeline without loading: preview, dev.

const OPTIONS = `  --step N                 one step alone
  --rows N                 how many rows of each step are shown (5)
  --records N              how many records of each source are read (1000)
  -p, --param name=value   sets a parameter of the pipeline; may be given several times
  --env-file FILE          reads environment variables from FILE (.env); those of the environment come first`

export function previewHelp(): string {
  return `sluice preview FILE [options]

Shows the rows of the pipeline that FILE exports after every step of its flow, as tables, and the dead letters with
their reasons. Reads the first records of each source, as if there were no others: joins and open windows give their
results, too. Nothing is loaded, and the sink need not be there; "sluice check" asks the sink as well.

Options
${OPTIONS}
  --json                   prints each row as one line of JSON

Examples
  sluice preview orders.ts
  sluice preview orders.ts --step 3 --rows 20
`
}

export function devHelp(): string {
  return `sluice dev FILE [options]

Previews the pipeline that FILE exports, and does it again whenever FILE, or a module that it imports, is saved. Steps
that give the same rows as before are only named; in the others, new rows are marked + and those that are gone -.
Ctrl-C ends it.

Options
${OPTIONS}

Example
  sluice dev orders.ts
`
}
