/**
 * `-w`: a text after each transfer, from curl's format with curl's variables.
 *
 * Owns the format's syntax. The variables are write-out-variables.ts. Unknown variables are refused, not printed empty.
 *
 * @module
 */
import { ConfigurationError } from '../../src/common/index.ts';
import { suggest } from '../suggest.ts';
import type { TransferFacts } from './write-out-variables.ts';
import { headerJson, variableText, writeOutVariables } from './write-out-variables.ts';

/** Where a piece of the text goes. */
export type WriteOutTarget =
  { readonly kind: 'stdout' | 'stderr' } | { readonly kind: 'file'; readonly file: string; readonly append: boolean };

/** A piece of the text. */
export interface WriteOutPiece {
  readonly target: WriteOutTarget;
  readonly text: string;
}

/** A format, read once and printed for each transfer. */
export type WriteOut = (facts: TransferFacts) => WriteOutPiece[];

/** A step of a format: a text, another target, or the end unless something failed. */
type Step = ((facts: TransferFacts) => string) | { readonly target: WriteOutTarget } | 'onerror';

/**
 * Reads a format: `%{name}`, `%header{name}`, `%output{file}`, `%%`, and the escapes `\n`, `\r`, `\t`.
 *
 * @throws ConfigurationError for a variable that there is not
 */
export function parseWriteOut(format: string): WriteOut {
  const steps: Step[] = [];
  for (const match of format.matchAll(TOKENS)) {
    const [whole, header, file, name, escape] = match;
    if (header !== undefined) steps.push((facts) => facts.headers.get(header.toLowerCase()) ?? '');
    else if (file !== undefined) steps.push({ target: fileTarget(file) });
    else if (name !== undefined) steps.push(named(name));
    else if (escape !== undefined) steps.push(() => ({ n: '\n', r: '\r', t: '\t' })[escape] ?? '');
    else steps.push(() => (whole === '%%' ? '%' : whole));
  }
  return (facts) => run(steps, facts);
}

function run(steps: readonly Step[], facts: TransferFacts): WriteOutPiece[] {
  const pieces: WriteOutPiece[] = [];
  let target: WriteOutTarget = { kind: 'stdout' };
  let text = '';
  const finish = (next: WriteOutTarget): void => {
    // A file comes into being even when nothing is written to it.
    if (text !== '' || target.kind === 'file') pieces.push({ target, text });
    target = next;
    text = '';
  };
  for (const step of steps) {
    if (step === 'onerror') {
      if (facts.exitCode === 0) break;
    } else if (typeof step === 'function') text += step(facts);
    else finish(step.target);
  }
  finish(target);
  return pieces;
}

function fileTarget(file: string): WriteOutTarget {
  const append = file.startsWith('>>');
  return { kind: 'file', file: append ? file.slice(2) : file, append };
}

function named(name: string): Step {
  switch (name) {
    case 'stdout':
    case 'stderr':
      return { target: { kind: name } };
    case 'onerror':
      return 'onerror';
    case 'header_json':
      return headerJson;
  }
  const text = variableText(name);
  if (text !== undefined) return text;
  const near = suggest(name, writeOutNames);
  throw new ConfigurationError(`-w has no variable %{${name}}`, {
    code: 'ERR_USAGE',
    hint: near === undefined ? `variables: ${writeOutNames.join(', ')}` : `did you mean %{${near}}?`,
  });
}

/** All names, in alphabetical order, for help and documentation. */
export const writeOutNames: readonly string[] = [
  ...writeOutVariables,
  'header_json',
  'onerror',
  'stderr',
  'stdout',
].sort();
const TOKENS = /%header\{([^}]*)\}|%output\{([^}]*)\}|%\{([^}]*)\}|%%|\\([nrt])|\\[^]|[^%\\]+|[%\\]/g;
