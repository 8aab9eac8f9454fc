/**
 * docs/cli.md against the tables that the command line is made from. `node tools/reference.js --write` writes them.
 */
import { describe, expect, it } from 'vitest';
import { certCommand } from '../../../cli/cert/options.ts';
import { exitCode, exitCodeMeanings } from '../../../cli/client/exit-codes.ts';
import { clientCommand } from '../../../cli/client/options.ts';
import { writeOutNames } from '../../../cli/client/write-out.ts';
import { meaning, spelling } from '../../../cli/option-table.ts';
import { serverCommand } from '../../../cli/server/options.ts';
import { read } from '../../support/repository.ts';

const page = read('docs/cli.md');

/** The text of a generated block. */
function block(name: string): string {
  const [, behind = ''] = page.split(`<!-- generated: ${name} -->`);
  const [text = '', ...rest] = behind.split(`<!-- end: ${name} -->`);
  expect(rest, `the block ${name}`).toHaveLength(1);
  return text;
}

/** The cells of the table in a block, without its head. */
function rowsOf(name: string): string[][] {
  const lines = block(name)
    .split('\n')
    .filter((line) => line.startsWith('|'));
  const cells = lines.map((line) => line.slice(1, -1).split(/(?<!\\)\|/));
  return cells.slice(2).map((row) => row.map((cell) => cell.trim()));
}

/** As Markdown shows it as it is. */
function escaped(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '\\<');
}

const advice = 'node tools/reference.js --write';

describe('docs/cli.md', () => {
  it.each([serverCommand, clientCommand, certCommand])('has the options of $command', ({ command, options }) => {
    const expected = options.map((row) => [`\`${spelling(row)}\``, escaped(meaning(row))]);
    expect(rowsOf(`options of ${command}`), advice).toEqual(expected);
  });

  it('has the variables of -w', () => {
    const names = [...block('variables of client').matchAll(/`%\{(\w+)\}`/g)].map((match) => match[1]);
    expect(names, advice).toEqual(writeOutNames);
  });

  it('has the exit codes', () => {
    const expected = Object.entries(exitCode).map(([name, code]) => [
      String(code),
      exitCodeMeanings[name as keyof typeof exitCode],
    ]);
    expect(rowsOf('exit codes of client').slice(0, -1), advice).toEqual(expected);
  });
});
