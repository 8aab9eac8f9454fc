#!/usr/bin/env node
// The executable that npm links. It is plain JavaScript so that it exists, with its mode bits, before the build.
import { main } from '../dist/cli/main.js';

await main(process.argv.slice(2));
