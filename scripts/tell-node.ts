// After `npm ci`: if the Node of this machine is too old, says which one is used instead.

const [, found = ''] = /\bnode\/v(\S+)/.exec(process.env.npm_config_user_agent ?? '') ?? []
const isOld = found !== '' && Number(found.split('.')[0]) < 24
if (isOld) {
  const own = process.versions.node
  console.log(`This machine has Node ${found}, and Sluice needs 24 or newer: npm run uses Node ${own}, installed here`)
}
