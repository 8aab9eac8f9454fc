/**
 * The parts of the documentation that are made from the source: options, variables and exit codes of the command line,
 * limits, errors. Reads the build (`npm run build` comes first). With --write the parts are written, without they are
 * compared.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { escaped, runGenerator, table } from './lib/generated-block.js';
import { root } from './lib/root.js';

/** @typedef {import('./lib/generated-block.js').GeneratedBlock} GeneratedBlock */

/**
 * A module of the build.
 * @param {string} file from the root, as a source: `cli/client/options.ts`
 * @returns {Promise<Record<string, any>>} what it exports
 */
async function built(file) {
  const place = path.join(root, 'dist', file.replace(/\.ts$/, '.js'));
  if (!existsSync(place)) throw new Error(`there is no ${place}: npm run build`);
  return import(pathToFileURL(place).href);
}

/** @returns {Promise<GeneratedBlock[]>} what docs/cli.md has of the command line */
async function commandLine() {
  const page = 'docs/cli.md';
  const { meaning, spelling } = await built('cli/option-table.ts');
  const { exitCode, exitCodeMeanings } = await built('cli/client/exit-codes.ts');
  const { writeOutNames } = await built('cli/client/write-out.ts');
  const commands = await Promise.all(
    ['server', 'client', 'cert'].map(async (name) => (await built(`cli/${name}/options.ts`))[`${name}Command`]),
  );
  const options = commands.map((command) => ({
    page,
    name: `options of ${command.command}`,
    text: table(
      ['option', 'meaning'],
      command.options.map((/** @type {any} */ row) => [`\`${spelling(row)}\``, escaped(meaning(row))]),
    ),
  }));
  const codes = Object.entries(exitCode).map(([name, code]) => [String(code), exitCodeMeanings[name]]);
  const signals = ['130', 'Ctrl-C; 143 for SIGTERM'];
  const variables = writeOutNames.map((/** @type {string} */ name) => `\`%{${name}}\``).join(', ');
  return [
    ...options,
    { page, name: 'exit codes of client', text: table(['code', 'what happened'], [...codes, signals]) },
    { page, name: 'variables of client', text: `${variables}.` },
  ];
}

await runGenerator([...(await commandLine())], 'node tools/reference.js');
