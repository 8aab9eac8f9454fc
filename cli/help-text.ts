/**
 * The help text of a command: usage, options in two columns, examples.
 *
 * @module
 */
import type { CommandDescription, OptionRow } from './option-table.ts';
import { helpOption, meaning, spelling } from './option-table.ts';

/** The text, without its last line end, in lines of at most `columns` characters where words allow it. */
export function helpText(description: CommandDescription, columns: number): string {
  const width = Math.min(100, Math.max(40, columns));
  const sections = description.sections ?? [{ title: 'Options', options: description.options }];
  const lines = [`Usage: ${description.usage}`, '', ...wrapped(description.summary, width)];
  const left = Math.max(...[...description.options, helpOption].map((row) => nameOf(row).length));
  for (const [index, { title, options }] of sections.entries()) {
    lines.push('', `${title}:`);
    const last = index === sections.length - 1 ? [helpOption] : [];
    for (const row of [...options, ...last]) lines.push(...twoColumns(nameOf(row), meaning(row), left, width));
  }
  lines.push('', 'Examples:');
  for (const [command, text] of description.examples) {
    lines.push(`  ${command}`, ...wrapped(text, width - 6).map((line) => `      ${line}`));
  }
  return lines.join('\n');
}

/** The spelling, with the long names below each other. */
function nameOf(row: OptionRow): string {
  return row.short === undefined ? `    ${spelling(row)}` : spelling(row);
}

/** The name, and the text beside it; below it where there is no room. */
function twoColumns(name: string, text: string, left: number, width: number): string[] {
  const column = 2 + left + 2;
  if (width - column < MIN_COLUMN) return [`  ${name}`, ...wrapped(text, width - 8).map((line) => `        ${line}`)];
  return wrapped(text, width - column).map((line, index) => {
    const beginning = index === 0 ? name : '';
    return `  ${beginning.padEnd(left)}  ${line}`;
  });
}

/** The text in lines of at most `width`, broken between words. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** Narrower than this the second column is no use. */
const MIN_COLUMN = 30;
