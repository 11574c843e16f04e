// node scripts/build-wire.ts [FOLDER]: compiles the messages of src/beam/wire/beam.proto, there or into another folder.

import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const proto = 'src/beam/wire'
const out = process.argv[2] ?? proto
const plugin = { local: ['node', 'node_modules/@bufbuild/protoc-gen-es/bin/protoc-gen-es'], out, opt: 'target=js+dts' }
const template = JSON.stringify({ version: 'v2', plugins: [plugin] })
const args = ['node_modules/@bufbuild/buf/bin/buf', 'generate', proto, '--template', template]
execFileSync(process.execPath, args, { cwd: root, stdio: 'inherit' })
