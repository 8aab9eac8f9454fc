/**
 * What a command may do to the world besides its work: print, and be told to stop. Tests hand in their own.
 *
 * @module
 */

/** The streams and signals of one run. */
export interface CommandContext {
  /** A line on stdout. */
  print(text: string): void;
  /** A line on stderr. */
  inform(text: string): void;
  /** The working folder, absolute. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The process's own. */
export function processContext(): CommandContext {
  return {
    print: (text) => {
      process.stdout.write(`${text}\n`);
    },
    inform: (text) => {
      process.stderr.write(`${text}\n`);
    },
    directory: process.cwd(),
    environment: process.env,
  };
}
