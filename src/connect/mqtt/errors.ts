// Reason codes of an MQTT broker for rejections: codes of 3.1.1 and 5.

/** Codes for a version that the broker does not support. */
export const OTHER_VERSION: readonly (number | undefined)[] = [1, 132]

/** The broker rejects it permanently: a retry does not help. */
export class Refused extends Error {}

/** Whether a retry may help. */
export function mayPass(error: unknown): boolean {
  return !(error instanceof Refused)
}

/** Codes for temporary refusals: unavailable, busy, too many or too frequent connections. */
const FOR_NOW: readonly number[] = [3, 136, 137, 151, 159]

/** The error for a refused connection. */
export function connectionRefused(code: number): Error {
  const message = `the broker rejects the connection: ${refusalOf(code)}`
  return FOR_NOW.includes(code) ? new Error(message) : new Refused(message)
}

/** The broker supports another version of MQTT. */
export class OtherVersion extends Error {}

/** A code, for people. */
export function refusalOf(code: number): string {
  switch (code) {
    case 3:
    case 136:
      return 'it is not available'
    case 137:
      return 'it is busy'
    case 151:
    case 159:
      return 'its quota is used up'
    case 2:
    case 133:
      return 'the client id is not allowed'
    case 4:
    case 134:
      return 'user or password are wrong'
    case 5:
    case 135:
      return 'not authorized'
    default:
      return `reason ${code}`
  }
}
