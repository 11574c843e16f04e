// A connector for maildirs: folders in which each file is a mail.

export { maildirSink } from './sink.ts'
export { type Mail, maildirSource } from './source.ts'
