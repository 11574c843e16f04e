// Which Node version is needed, in syntax that an older Node understands.

const { versions, execPath } = process

/** What to print when this Node is too old, in one line. */
export const unfit: string | undefined =
  Number(versions.node.split('.')[0]) < 24
    ? `Sluice needs Node 24 or newer: this is ${versions.node} (${execPath}). Install it from https://nodejs.org, or run "npm install --save-dev node@24" in your project`
    : undefined
