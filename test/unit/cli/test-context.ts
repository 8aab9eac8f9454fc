import type { ByteOutput, CommandContext, EndSignal, LineOutput, TerminalOutput } from '../../../cli/context.ts';

/** What a test may set. */
export interface TestContextOptions {
  readonly directory?: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly input?: string;
  readonly terminal?: boolean;
  readonly errorTerminal?: TerminalOutput;
  readonly networking?: CommandContext['networking'];
}

/** A context that remembers what was printed. */
export class TestContext implements CommandContext {
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly networking: CommandContext['networking'];
  readonly columns = 80;
  readonly errorTerminal: TerminalOutput | undefined;
  readonly output: ByteOutput;
  /** Stdout, bytes and lines. */
  stdout = '';
  stderr = '';
  readonly exits: number[] = [];
  /** What a write to stdout does besides; throws to refuse it. */
  onWrite: (bytes: Uint8Array) => void | Promise<void> = () => undefined;
  readonly #input: string;
  readonly #listeners = new Set<(signal: EndSignal) => void>();
  readonly #reloaders = new Set<() => void>();
  readonly #watchers = new Set<() => void>();

  constructor(options: TestContextOptions = {}) {
    this.directory = options.directory ?? process.cwd();
    this.environment = options.environment ?? {};
    this.networking = options.networking;
    this.#input = options.input ?? '';
    this.errorTerminal = options.errorTerminal;
    this.output = {
      isTerminal: options.terminal ?? false,
      write: async (bytes) => {
        await this.onWrite(bytes);
        this.stdout += Buffer.from(bytes).toString('latin1');
        this.#changed();
      },
    };
  }

  get listening(): boolean {
    return this.#listeners.size > 0;
  }

  print(text: string): void {
    this.stdout += `${text}\n`;
    this.#changed();
  }

  inform(text: string): void {
    this.stderr += `${text}\n`;
    this.#changed();
  }

  writeError(text: string): void {
    this.stderr += text;
    this.#changed();
  }

  async readInput(): Promise<Uint8Array> {
    return Buffer.from(this.#input);
  }

  async *openInput(): AsyncGenerator<Uint8Array, void> {
    yield Buffer.from(this.#input);
  }

  openLines(stream: 'stdout' | 'stderr'): LineOutput {
    return {
      line: (text) => (stream === 'stdout' ? this.print(text) : this.inform(text)),
      flush: async () => undefined,
    };
  }

  onSignal(listener: (signal: EndSignal) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onReload(listener: () => void): () => void {
    this.#reloaders.add(listener);
    return () => this.#reloaders.delete(listener);
  }

  /** As if the process had got SIGHUP. */
  reload(): void {
    for (const listener of this.#reloaders) listener();
  }

  onUncaught(): () => void {
    return () => undefined;
  }

  exit(code: number): void {
    this.exits.push(code);
  }

  /** As if the user had pressed Ctrl-C. */
  signal(signal: EndSignal): void {
    for (const listener of this.#listeners) listener(signal);
  }

  /** Resolves with the match once stdout and stderr together match. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(`${this.stdout}\n${this.stderr}`);
      if (match !== null) return match;
      await new Promise<void>((resolve) => this.#watchers.add(resolve));
    }
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher();
    this.#watchers.clear();
  }
}
