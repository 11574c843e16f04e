// Who asked for what: requests of one log, joined with the logins of another by the client's address.

import { accessLog, collect, fileSource, flow } from 'sluice'

const folder = `${import.meta.dirname}/data`
const logins = flow(fileSource(`${folder}/logins.log`, accessLog())).map(({ host, path }) => ({
  host,
  user: path?.slice('/login/'.length),
}))

const requests = flow(fileSource(`${folder}/web.log`, accessLog()))
  .filter(({ status }) => status === 200)
  .join(logins, { mode: 'left', left: ({ host }) => host, right: ({ host }) => host })
  .map(([request, login]) => ({ path: request.path, user: login?.user ?? 'a stranger' }))

export default requests

if (import.meta.main) {
  // Pairs appear as they are found, whichever log is read first, so they are sorted here.
  const said = (await collect(requests)).map(({ user, path }) => `${user} asked for ${path}`)
  for (const line of said.sort().slice(0, 3)) console.log(line)
}

// Prints:
// ann asked for /
// ann asked for /
// ann asked for /a
