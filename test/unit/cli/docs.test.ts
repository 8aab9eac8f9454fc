/**
 * docs/cli.md against the tables that the command line is made from.
 */
import { describe, expect, it } from 'vitest';
import { certCommand } from '../../../cli/cert/options.ts';
import { exitCode } from '../../../cli/client/exit-codes.ts';
import { clientCommand } from '../../../cli/client/options.ts';
import { writeOutVariables } from '../../../cli/client/write-out.ts';
import { meaning, spelling } from '../../../cli/option-table.ts';
import { serverCommand } from '../../../cli/server/options.ts';
import { read } from '../../support/repository.ts';

const lines = read('docs/cli.md').split('\n');

/** The cells of the table behind a line. */
function tableBehind(line: string): string[][] {
  const start = lines.indexOf(line);
  expect(start, line).toBeGreaterThan(0);
  const rows: string[][] = [];
  for (const text of lines.slice(start + 2)) {
    if (!text.startsWith('|')) break;
    rows.push(
      text
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    );
  }
  return rows.slice(2);
}

/** As Markdown shows it as it is. */
function escaped(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '\\<');
}

describe('docs/cli.md', () => {
  it.each([serverCommand, clientCommand, certCommand])('has the options of $command', ({ command, options }) => {
    const expected = options.map((row) => [`\`${spelling(row)}\``, escaped(meaning(row))]);
    const found = tableBehind(`<!-- options: ${command} -->`);
    const table = expected.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
    expect(found, `the table should be\n\n| option | meaning |\n| --- | --- |\n${table}\n`).toEqual(expected);
  });

  it('has the variables of -w', () => {
    const text = lines[lines.indexOf('<!-- variables: client -->') + 2] ?? '';
    expect([...text.matchAll(/`%\{(\w+)\}`/g)].map((match) => match[1])).toEqual(writeOutVariables);
  });

  it('has the exit codes', () => {
    const codes = tableBehind("They are curl's.").map(([code]) => Number(code));
    // Those of HTTP/2 and HTTP/3 come with them.
    const known = Object.values(exitCode).filter((code) => ![exitCode.http2, exitCode.http3].includes(code as never));
    expect(codes).toEqual([...known, 130]);
  });
});
