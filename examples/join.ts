// Who asked for what: requests of one log, joined with the logins of another by the client's address.

import { accessLog, collect, fileSource, flow } from 'sluice'

const folder = `${import.meta.dirname}/data`
const logins = flow(fileSource(`${folder}/logins.log`, accessLog()))
  .derive('user', ['path'], (path) => path?.slice('/login/'.length))
  .select('host', 'user')

const requests = flow(fileSource(`${folder}/web.log`, accessLog()))
  .where('status', '=', 200)
  .select('host', 'path')
  .join(logins, { mode: 'left', on: ['host'] })
  .derive('user', ['user'], (user) => user ?? 'a stranger')

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
