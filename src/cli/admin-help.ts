// What `sluice help` says of looking after pipelines: serve, checkpoints, dead-letters, check.

export function checkpointsHelp(): string {
  return `sluice checkpoints FILE [list|show|reset|break-lease] [--param name=value …]

Shows where the pipeline that FILE exports stands: the last epoch that was committed and by whom, what became of all
records, and how far each part of the source was read. "show" tells all of it. "reset" lets the pipeline start over: it
forgets positions, totals and states, and is refused while a run holds the pipeline. Rows stay where they are. Dead
letters do, too, but of a source without an end, which gives their places to other records: then --dead-letters is needed.

"break-lease" takes the pipeline from a run that holds it and cannot be ended, such as one on a machine that is gone: it
says which one, and when it was last heard of. That run can commit nothing more, even if it comes back.

Options
  --branch NAME    one of several sinks, instead of the first
  --json           prints one JSON object
  --yes            does what reset or break-lease says
  --dead-letters   lets reset forget the pipeline's dead letters, too

Example
  sluice checkpoints access-log.ts show
`
}

export function deadLettersHelp(): string {
  return `sluice dead-letters FILE [list|show|export|replay] [--param name=value …]

What could not be loaded, with its place, its raw form and the reason. "list" counts by step and reason, "show" tells of
each, "export" writes them to standard output. "replay" reads them again and lets them go through the pipeline, as it is
now: those that are loaded are dead letters no more, in one transaction, so that it can be done twice or killed half-way.
Late events are late again; results of many records are left alone.

Options
  --branch NAME          those that one of several sinks refused; they are not replayed
  --step NAME            those of one step
  --reason TEXT          those whose reason holds a text
  --since EPOCH          those of this epoch and later ones
  --limit N              the first N of them
  --format ndjson|csv    of export (ndjson); csv is safe to open in a spreadsheet
  --raw                  the raw records alone, one a line; none of which only a part was kept
  --full                 of show: raw records in full
  --json                 prints JSON

Examples
  sluice dead-letters access-log.ts
  sluice dead-letters access-log.ts export --format csv > rejected.csv
  sluice dead-letters access-log.ts replay --step access-log
`
}

export function checkHelp(): string {
  return `sluice check FILE [--rows N] [--param name=value …]

Looks whether the pipeline that FILE exports can run: its parameters and its flow, what there is to read, and where its
sink stands. Reads the first N records (5) of each source, as if there were no others, and shows the rows and dead
letters that the whole flow makes of them. Nothing is loaded, written or held. What a run would refuse is refused.

Options
  --rows N   how many records of each source are read
  --json     prints them as JSON, one a line

Example
  sluice check access-log.ts --param input='logs/*.gz'
`
}

export function serveHelp(): string {
  return `sluice serve DIR [options]

Runs the pipelines that modules of a folder export, in one process, and shows them in a browser. One that fails is
started again from its last commit, later each time, unless it would fail in the same way; one that has come to its end
stays to be seen. It goes on until it is told to stop: then all are drained. Parts of other modules (without a default
export), tests and flows are left alone.

Options
  -p, --param PIPELINE.name=value   sets a parameter of one pipeline; may be given several times
  --threads N                       runs each pipeline on N worker threads
  --dashboard [HOST:]PORT           where the page is (127.0.0.1:4000, or a free port if that is taken)
  --drain-timeout SECONDS           how long a stop may take to commit what was read (30)
  --log text|json                   how notices and errors are written to standard error (text)
  --log-level LEVEL                 the least that is written: debug, info, warn or error (info)

Environment
  SLUICE_TOKEN   what everybody has to give who wants to see anything: 16 characters or more; needed where
                           HOST is not this machine alone
  SLUICE_HOSTS   names by which others reach the page, with commas in between

Example
  sluice serve pipelines --param orders.input='in/*.csv'
`
}

export function topHelp(): string {
  return `sluice top FILE|URL [options]

Shows what runs in a terminal: what each layer takes and gives a second, what waits, how busy its stages are, and which
layer holds the others up.

FILE is run as "sluice run" does, with the same options, and shown as long as it goes on; Ctrl-C stops it cleanly.
URL shows the runs of a dashboard ("sluice run FILE --dashboard", "sluice serve"); Ctrl-C closes the view;
the runs continue. Without a terminal it prints one snapshot.

URL is the address that the dashboard says, or its port on this machine.

Options
  --every SECONDS   between two looks (1)
  --once            looks once, at a URL
  -h, --help        this page

Environment
  SLUICE_TOKEN      the token of a dashboard that asks for one

Examples
  sluice top job.ts --param input=access.log --threads 2
  sluice top http://127.0.0.1:4000
`
}
