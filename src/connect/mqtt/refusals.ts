// What an MQTT broker says when it will not have something: codes of 3.1.1 and 5.

/** Codes for a version that the broker does not speak. */
export const OTHER_VERSION: readonly (number | undefined)[] = [1, 132]

/** The broker speaks another version of MQTT. */
export class OtherVersion extends Error {}

/** A code, for a person. */
export function refusalOf(code: number): string {
  switch (code) {
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
