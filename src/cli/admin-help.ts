// Help for the commands that manage pipelines: serve, checkpoints, dead-letters, check.

export function checkpointsHelp(): string {
  return `sluice checkpoints FILE [list|show|reset|break-lease] [--param name=value …]

Shows where the pipeline that FILE exports stands: the last committed epoch and who committed it, what became of all
records, and how far each part of the source was read. "show" prints all of it. "reset" makes the pipeline start over:
it deletes positions, totals and states, and is refused while a run holds the pipeline. Rows stay where they are. Dead
letters do, too. For an unbounded source, whose new records would get their places, --dead-letters is required.

"break-lease" takes the pipeline from a run that holds it and cannot be ended, such as one on a machine that is gone: it
prints which one, and when it last renewed its lease. That run can commit nothing more, even if it comes back.

Options
  --branch NAME    one of several sinks, instead of the first
  --json           prints one JSON object
  --yes            confirms reset or break-lease
  --dead-letters   lets reset delete the pipeline's dead letters, too

Example
  sluice checkpoints access-log.ts show
`
}

export function deadLettersHelp(): string {
  return `sluice dead-letters FILE [list|show|export|replay] [--param name=value …]

Records that could not be loaded, with their place, raw form and reason. "list" counts by step and reason, "show" prints
each, "export" writes them to standard output. "replay" parses them again and sends them through the current pipeline:
those that are loaded are deleted as dead letters in the same transaction, so that it can be repeated, or killed half-way.
Late events are late again; results of many records are left alone.

Options
  --branch NAME          those that one of several sinks rejected; they cannot be replayed
  --step NAME            those of one step
  --reason TEXT          those whose reason contains a text
  --since EPOCH          those of this epoch and later ones
  --limit N              the first N of them
  --format ndjson|csv    of export (ndjson); csv is safe to open in a spreadsheet
  --raw                  the raw records alone, one per line; without those of which only a part was kept
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

Checks whether the pipeline that FILE exports can run: its parameters and its flow, what there is to read, and the state
of its sink. Reads the first N records (5) of each source, as if there were no others, and shows the rows and dead
letters that the whole flow makes of them. Nothing is loaded, written or held. Whatever a run would refuse is refused.

Options
  --rows N      how many records of each source are read
  --shard I/N   checks one of N copies (see "sluice help run"), and shows which parts of the source are its own
  --on          refuses what an engine cannot run ("sluice run --on"), too; no engine is asked
  --json        prints them as JSON, one per line

Example
  sluice check access-log.ts --param input='logs/*.gz'
`
}

export function serveHelp(): string {
  return `sluice serve DIR [options]

Runs the pipelines that modules of a folder export, in one process, and shows them in a browser. A pipeline that fails
is restarted from its last commit, after growing waits, unless its error is permanent; a completed one stays listed. It
runs until it is told to stop: then all pipelines are drained. Parts of other modules (without a default export), tests
and flows are ignored.

Options
  -p, --param PIPELINE.name=value   sets a parameter of one pipeline; may be given several times
  --env-file FILE                   reads environment variables from FILE (.env); those of the environment come first
  --threads N                       runs each pipeline on N worker threads
  --shard I/N                       runs each pipeline as one of N copies that share its splits
  --dashboard [HOST:]PORT           where the page is (127.0.0.1:4000, or a free port if that is taken)
  --drain-timeout SECONDS           how long a stop may take to commit what was read (30)
  --log text|json                   how notices and errors are written to standard error (text)
  --log-level LEVEL                 the least urgent level to write: debug, info, warn or error (info)

Environment
  SLUICE_TOKEN   the token that every visitor must present: 16 characters or more; required unless HOST is a
                           loopback address
  SLUICE_HOSTS   names by which others reach the page, separated by commas

Example
  sluice serve pipelines --param orders.input='in/*.csv'
`
}

export function topHelp(): string {
  return `sluice top FILE|URL [options]

Shows runs in a terminal: events per second into and out of each layer, what waits, how busy its stages are, and which
layer is the bottleneck; of a pipeline that several copies share, also their total, each copy, and which are missing.

FILE is run as "sluice run" does, with the same options, and shown while it runs; Ctrl-C stops it cleanly.
URL shows the runs of a dashboard ("sluice run FILE --dashboard", "sluice serve"); Ctrl-C closes the view;
the runs continue. Without a terminal it prints one snapshot.

URL is the address that the dashboard prints, or its port on this machine.

Options
  --every SECONDS   time between two snapshots (1)
  --once            prints one snapshot, of a URL
  -h, --help        this page

Environment
  SLUICE_TOKEN      the token of a dashboard that requires one

Examples
  sluice top job.ts --param input=access.log --threads 2
  sluice top http://127.0.0.1:4000
`
}

export function workerPoolHelp(): string {
  return `sluice worker-pool --port N [options]

Starts Node processes that do the work of pipelines on an engine, when the engine asks for them: run it beside each of
the engine's own processes, on the same host. "sluice run FILE --on HOST:PORT --worker-pool HOST:PORT" uses it; without
a pool, that command starts the workers itself. A worker imports the pipeline's module from where it is on its host.

There is no authentication: whoever reaches the port can run modules below the root.

Options
  --port N        where it listens; 0 for a free port
  --host HOST     the address that it listens at (127.0.0.1)
  --root DIR      modules below this folder can be run, and no others (the working folder)
  --heap-mb N     the heap limit of a worker (Node's own)
  -h, --help      this page

Example
  sluice worker-pool --port 50000 --root /srv/jobs
`
}
