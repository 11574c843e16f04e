// Texts in SQL.

/** A text in SQL, whatever the server takes backslashes for. */
export function literal(text: string): string {
  const quoted = text.replaceAll("'", "''")
  return text.includes('\\') ? `E'${quoted.replaceAll('\\', '\\\\')}'` : `'${quoted}'`
}
