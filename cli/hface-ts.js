#!/usr/bin/env node
// The executable that npm links. It is plain JavaScript so that it exists, with its mode bits, before the build, and so
// that an old Node can read it and say that it is old.
import { existsSync } from 'node:fs';

const main = new URL('../dist/cli/main.js', import.meta.url);
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`hface-ts: Node ${process.versions.node} is too old\n  try: Node 20.19 or newer\n`);
  process.exitCode = 1;
} else if (!existsSync(main)) {
  process.stderr.write('hface-ts: this checkout has not been built\n  try: npm run build\n');
  process.exitCode = 1;
} else {
  const { run } = await import(main.href);
  await run(process.argv.slice(2));
}
