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
  const names = [...description.options, helpOption].map((row) => nameOf(row).length);
  const left = Math.max(...names.filter((length) => length <= MAX_NAME));
  for (const { title, options } of sections) {
    lines.push('', `${title}:`);
    for (const row of options) lines.push(...twoColumns(nameOf(row), meaning(row), left, width));
  }
  // Behind many sections it stands alone; where there is one it is the last of it.
  if (sections.length > 1) lines.push('');
  lines.push(...twoColumns(nameOf(helpOption), meaning(helpOption), left, width));
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
  const lines = wrapped(text, width - column);
  if (name.length > left) return [`  ${name}`, ...lines.map((line) => ' '.repeat(column) + line)];
  return lines.map((line, index) => {
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

/** A longer name has its text below it, not beside it, so that all others have room. */
const MAX_NAME = 28;
/** Narrower than this the second column is no use. */
const MIN_COLUMN = 30;
