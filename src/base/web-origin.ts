// Whether a browser sent a request for a page of another site: browsers say so in two headers.

/**
 * Whether the server's own page sent a request: its `Origin` names the host that was asked.
 *
 * @example
 * isSameOrigin('http://localhost:4000', 'localhost:4000') // => true
 * isSameOrigin('http://localhost:3000', 'localhost:4000') // => false
 * isSameOrigin('null', 'localhost:4000') // => false
 */
export function isSameOrigin(origin: string, host: string): boolean {
  if (!/^https?:\/\//.test(origin) || !URL.canParse(origin) || !URL.canParse(`http://${host}`)) return false
  const { protocol } = new URL(origin)
  return new URL(origin).host === new URL(`${protocol}//${host}`).host
}

/** Whether `Sec-Fetch-Site` names another site or origin. Only browsers send it. */
export function isForeignSite(site: string | string[] | undefined): boolean {
  return site !== undefined && site !== 'same-origin' && site !== 'none'
}
