// Which Node is needed, in words that an older one understands.

const { versions, execPath } = process

/** What to say where this Node is too old, in one line. */
export const unfit: string | undefined =
  Number(versions.node.split('.')[0]) < 24
    ? `Sluice needs Node 24 or newer: this is ${versions.node} (${execPath}). Install it from https://nodejs.org, or run "npm install --save-dev node@24" in your project`
    : undefined
