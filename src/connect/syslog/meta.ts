// What is known of a message of syslog beside what it says.

/** How a message came. */
export interface SyslogMeta {
  /** The address of who sent it, or passed it on. With UDP anybody can write any address there. */
  readonly from: string
  readonly transport: 'udp' | 'tcp'
}
