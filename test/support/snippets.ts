/**
 * Finds the fenced code blocks of a Markdown page and what the page says about them.
 *
 * A page is a story: its blocks run in order in one folder, and what a block starts (a server) keeps running for the
 * blocks that follow, until the next heading of level two. A comment on the line before a fence tells what cannot be
 * seen from the block: `<!-- snippet: serves, given public/index.html -->`. CONTRIBUTING.md describes the scheme.
 *
 * @module
 */

/** What a comment before a fence may say. */
export interface SnippetNotes {
  /** The program keeps running: it is a server. It is ended with the section. */
  readonly serves: boolean;
  /** The block goes on where the block of the same language before it ended; both run as one program. */
  readonly continues: boolean;
  /** Files that are there when the block runs, with a line of text in each. */
  readonly given: readonly string[];
  /** The exit code that the program ends with. Default 0. */
  readonly exit: number;
}

/** One fenced block. */
export interface Snippet extends SnippetNotes {
  /** `README.md:17`, the line of the fence. */
  readonly place: string;
  /** The first word after the fence, as written. */
  readonly language: string;
  /** Counts headings of level one and two. */
  readonly section: number;
  /** The file that the block says it is, from a first line such as `// app.js`. */
  readonly fileName: string | undefined;
  readonly text: string;
}

/** The blocks of a page, in order. Throws when a fence is left open or a comment says something unknown. */
export function snippetsOf(page: string, markdown: string): Snippet[] {
  const found: Snippet[] = [];
  const lines = markdown.split(/\r?\n/);
  let section = 0;
  let notes = notesOf('', page);
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    const place = `${page}:${index + 1}`;
    const comment = /^\s*<!--\s*snippet:(.*)-->\s*$/.exec(line);
    const fence = /^(\s*)(`{3,}|~{3,})\s*([^\s`]*)/.exec(line);
    if (comment) {
      notes = notesOf(comment[1] ?? '', place);
      continue;
    }
    if (/^##? /.test(line)) section += 1;
    if (fence) {
      const [, indent = '', marks = '', language = ''] = fence;
      const end = lines.findIndex((other, at) => at > index && other.trim() === marks);
      if (end < 0) throw new Error(`${place}: the fence is not closed`);
      const body = lines
        .slice(index + 1, end)
        .map((text) => (text.startsWith(indent) ? text.slice(indent.length) : text));
      const fileName = /^\/\/ ([\w./-]+\.(?:js|mjs|ts))$/.exec(body[0] ?? '')?.[1];
      found.push({ ...notes, place, language, section, fileName, text: `${body.join('\n')}\n` });
      index = end;
    }
    if (line.trim() !== '') notes = notesOf('', place);
  }
  return found;
}

function notesOf(text: string, place: string): SnippetNotes {
  const notes = { serves: false, continues: false, given: [] as string[], exit: 0 };
  for (const note of text.split(',').map((part) => part.trim())) {
    const [word = '', value = ''] = note.split(/\s+/, 2);
    if (word === 'serves' || word === 'continues') notes[word] = true;
    else if (word === 'given' && value !== '') notes.given.push(value);
    else if (word === 'exit' && /^\d+$/.test(value)) notes.exit = Number(value);
    else if (word !== '') throw new Error(`${place}: a snippet comment says serves, continues, given FILE or exit N`);
  }
  return notes;
}

/**
 * The port numbers that a page uses on this machine: after `localhost:`, an address, `-p` or `port:`. Tests put free
 * ports in their place.
 */
export function portsIn(text: string): string[] {
  const pattern =
    /(?:localhost|127\.0\.0\.1|\[::1?\]|0\.0\.0\.0|\s)(?::)(\d{4,5})\b|(?:\bport:|(?<=\s)-p|--port|\bPORT=)\s*(\d{4,5})\b/g;
  return [...new Set([...text.matchAll(pattern)].map((match) => match[1] ?? match[2] ?? ''))];
}

/** One command of a `sh` block. */
export interface ShellCommand {
  /** Variables set before the command's name. */
  readonly env: Readonly<Record<string, string>>;
  readonly words: readonly string[];
  /** As written, for messages. */
  readonly text: string;
}

/**
 * The commands of a `sh` block: one a line or several joined by `&&`, `\` at a line's end goes on, `#` begins a comment,
 * quotes as a shell has them. What else a shell can do (pipes, redirections, substitutions) stands in no snippet: it
 * throws.
 */
export function commandsOf(block: string): ShellCommand[] {
  return block
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
    .map((line) => line.trim().replace(/^\$ /, ''))
    .filter((line) => line !== '' && !line.startsWith('#'))
    .flatMap((line) => line.split(/ && /))
    .map((text) => {
      const words = wordsOf(text);
      const env: Record<string, string> = {};
      while (/^[A-Z_][A-Z0-9_]*=/.test(words[0] ?? '')) {
        const [name = '', value = ''] = (words.shift() ?? '').split(/=(.*)/s, 2);
        env[name] = value;
      }
      return { env, words, text };
    });
}

function wordsOf(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < line.length; at += 1) {
    const character = line[at] ?? '';
    if (quote !== '') {
      if (character === quote) quote = '';
      else if (character === '\\' && quote === '"') word = `${word ?? ''}${line[(at += 1)] ?? ''}`;
      else word = `${word ?? ''}${character}`;
    } else if (character === "'" || character === '"') {
      quote = character;
      word ??= '';
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === '#' && word === undefined) {
      break;
    } else if (/[|<>;`$&]/.test(character)) {
      throw new Error(`a snippet is not a script: "${character}" in "${line}"`);
    } else {
      word = `${word ?? ''}${character}`;
    }
  }
  if (quote !== '') throw new Error(`a quote is not closed in "${line}"`);
  if (word !== undefined) words.push(word);
  return words;
}
