/**
 * Runs the code blocks of a Markdown page as a reader would: in a folder of their own where `hface-ts` is installed (a
 * link to this repository, so its build), in order, against the servers that the page itself starts.
 *
 * The ports that a page names are replaced by free ones, the development CA lies in the folder, and `curl` runs only
 * where it is installed. Nothing is left when `close()` has resolved.
 *
 * @module
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import ts from 'typescript';
import { runChild, startChild } from './child.ts';
import type { ChildResult, RunningChild } from './child.ts';
import { manifest, root } from './repository.ts';
import { commandsOf, portsIn } from './snippets.ts';
import type { ShellCommand, Snippet } from './snippets.ts';

/** Where `hface-ts server` listens when nothing is said. */
const DEFAULT_PORTS = ['5080', '5443'];
/** Subcommands that run until they are ended. */
const SERVERS = ['server', 'proxy', 'tunnel'];
/** Commands that set a reader's machine up: nothing is run, but an npm script that they name must exist. */
const SETUP = /^(git clone|cd|mkdir|npm (ci|install|i|test|run [\w:-]+|pack|link|init)|npx playwright-core install)\b/;

/** A program that runs until the section ends, or until another takes its ports. */
interface Server {
  readonly child: RunningChild;
  readonly ports: readonly number[];
}

/** Runs one page. */
export class SnippetRunner {
  readonly #folder: string = mkdtempSync(path.join(tmpdir(), 'hface-ts-docs-'));
  readonly #ports = new Map<string, string>();
  #running: Server[] = [];
  #section = 0;
  #count = 0;
  readonly #programs = new Map<string, string>();

  constructor() {
    mkdirSync(path.join(this.#folder, 'node_modules'));
    symlinkSync(root, path.join(this.#folder, 'node_modules/hface-ts'), 'junction');
    symlinkSync(path.join(root, 'examples'), path.join(this.#folder, 'examples'), 'junction');
    writeFileSync(path.join(this.#folder, 'package.json'), '{ "type": "module", "private": true }\n');
  }

  /** Runs a block; rejects with what went wrong. */
  async run(snippet: Snippet): Promise<void> {
    if (snippet.section !== this.#section) await this.#endSection();
    this.#section = snippet.section;
    for (const file of snippet.given) this.#write(file, 'A file.\n');
    const text = await this.#withFreePorts(snippet.text);
    if (snippet.language === 'js') await this.#runProgram(snippet, text);
    else if (snippet.language === 'sh')
      for (const command of commandsOf(text)) await this.#runCommand(snippet, command);
    else if (snippet.language === 'ts') this.#checkTypes(snippet, text);
    else if (snippet.language === 'json') JSON.parse(text);
  }

  /** Ends what still runs and removes the folder. */
  async close(): Promise<void> {
    try {
      await this.#endSection();
    } finally {
      rmSync(this.#folder, { recursive: true, force: true });
    }
  }

  async #endSection(): Promise<void> {
    await this.#stop(this.#running);
  }

  async #stop(servers: readonly Server[]): Promise<void> {
    this.#running = this.#running.filter((server) => !servers.includes(server));
    const ends = await Promise.all(servers.map((server) => server.child.stop()));
    // Ended by SIGTERM, a server drains and exits with 0; a program without a handler dies of the signal.
    const failed = ends.find((end) => end.code !== 0 && end.signal !== 'SIGTERM');
    if (failed) throw new Error(`a server of the section ended with ${describeEnd(failed)}`);
  }

  /** A reader ends a server before starting the next one on its ports. */
  async #freeThePorts(ports: readonly number[]): Promise<void> {
    await this.#stop(this.#running.filter((server) => server.ports.some((port) => ports.includes(port))));
  }

  /** Replaces every port that the page names, the same one by the same. */
  async #withFreePorts(text: string): Promise<string> {
    for (const port of [...portsIn(text), ...DEFAULT_PORTS]) {
      if (!this.#ports.has(port)) this.#ports.set(port, await freePort());
    }
    return text.replace(/\b\d{4,5}\b/g, (number) => this.#ports.get(number) ?? number);
  }

  #write(name: string, text: string): string {
    const file = path.join(this.#folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  }

  #environment(): Record<string, string> {
    return {
      HOME: this.#folder,
      HFACE_DATA_DIR: path.join(this.#folder, 'data'),
      XDG_DATA_HOME: path.join(this.#folder, 'data'),
      NO_COLOR: '1',
    };
  }

  #wholeText(snippet: Snippet, text: string): string {
    const whole = snippet.continues ? `${this.#programs.get(snippet.language) ?? ''}\n${text}` : text;
    this.#programs.set(snippet.language, whole);
    return whole;
  }

  async #runProgram(snippet: Snippet, text: string): Promise<void> {
    this.#count += 1;
    const whole = this.#wholeText(snippet, text);
    const name = snippet.fileName ?? `snippet-${this.#count}.js`;
    // `await using` parses from Node 24 on; before, TypeScript writes it out.
    const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
    const code = /\busing\s+\w/.test(whole)
      ? ts.transpileModule(whole, { compilerOptions: options }).outputText
      : whole;
    const file = this.#write(name, code);
    if (/\.(listen|run)\(/.test(whole)) await this.#freeThePorts(portsOf([whole], this.#ports));
    await this.#start(snippet, process.execPath, [file], {}, snippet.serves ? whole : undefined);
  }

  async #runCommand(snippet: Snippet, command: ShellCommand): Promise<void> {
    const [first = '', ...rest] = command.words;
    const words = first === 'npx' ? rest : command.words;
    const [name = '', ...args] = words;
    if (SETUP.test(words.join(' '))) {
      checkScript(words);
    } else if (name === 'hface-ts') {
      const serves = SERVERS.includes(args[0] ?? '') && !args.includes('--help');
      if (serves && portsOf(args, this.#ports).length === 0 && args[0] === 'server') {
        args.push(
          ...DEFAULT_PORTS.map(
            (port, at) => `${at === 0 ? 'http' : 'https'}://localhost:${this.#ports.get(port) ?? port}`,
          ),
        );
      }
      const script = path.join(root, 'cli/hface-ts.js');
      await this.#start(snippet, process.execPath, [script, ...args], command.env, serves ? args.join(' ') : undefined);
    } else if (name === 'node') {
      await this.#start(snippet, process.execPath, args, command.env, snippet.serves ? '' : undefined);
    } else if (name === 'curl') {
      const there = await runChild('curl', ['--version']);
      if (there.code === 0) await this.#start(snippet, 'curl', ['-sS', ...args], command.env, undefined);
    } else {
      throw new Error(`${snippet.place}: no form of command that the tests know: ${command.text}`);
    }
  }

  /** Runs a program to its end, or starts a server and waits until the ports that `serves` names accept. */
  async #start(
    snippet: Snippet,
    command: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    serves: string | undefined,
  ): Promise<void> {
    const options = { cwd: this.#folder, env: { ...this.#environment(), ...env }, timeout: 60_000 };
    const ports = portsOf([serves ?? ''], this.#ports);
    await this.#freeThePorts(ports);
    const child = startChild(command, args, options);
    if (serves === undefined) {
      const end = await child.ended;
      if (end.code !== snippet.exit) {
        throw new Error(`${snippet.place}: ${path.basename(command)} ${args.join(' ')} ended with ${describeEnd(end)}`);
      }
      return;
    }
    this.#running.push({ child, ports });
    await listening(child, ports, snippet.place);
  }

  #checkTypes(snippet: Snippet, text: string): void {
    this.#count += 1;
    const file = this.#write(snippet.fileName ?? `snippet-${this.#count}.ts`, this.#wholeText(snippet, text));
    const program = ts.createProgram([file], {
      strict: true,
      noEmit: true,
      target: ts.ScriptTarget.ES2022,
      lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
      module: ts.ModuleKind.NodeNext,
      moduleDetection: ts.ModuleDetectionKind.Force,
      skipLibCheck: true,
      types: ['node'],
      typeRoots: [path.join(root, 'node_modules/@types')],
    });
    const problems = ts.getPreEmitDiagnostics(program);
    if (problems.length === 0) return;
    const host = {
      getCurrentDirectory: () => this.#folder,
      getCanonicalFileName: (name: string) => name,
      getNewLine: () => '\n',
    };
    throw new Error(`${snippet.place}:\n${ts.formatDiagnostics(problems, host)}`);
  }
}

function describeEnd(end: ChildResult): string {
  const how = end.timedOut ? 'the time limit' : (end.signal ?? `exit code ${String(end.code)}`);
  return `${how}:\n${end.stdout}${end.stderr}`;
}

/** A documented `npm run x` must be a script that exists. */
function checkScript(words: readonly string[]): void {
  const [name, verb, script = ''] = words;
  if (name !== 'npm' || (verb !== 'run' && verb !== 'test')) return;
  const wanted = verb === 'test' ? 'test' : script;
  if (!(wanted in manifest().scripts)) throw new Error(`there is no script "${wanted}" in package.json`);
}

/** Which of the free ports stand in these words. */
function portsOf(words: readonly string[], ports: ReadonlyMap<string, string>): number[] {
  const free = new Set(ports.values());
  return words
    .flatMap((word) => word.split(/[^\d]+/))
    .filter((word) => free.has(word))
    .map(Number);
}

async function listening(child: RunningChild, ports: readonly number[], place: string): Promise<void> {
  if (ports.length === 0) throw new Error(`${place}: a server's snippet names its port`);
  const limit = Date.now() + 30_000;
  const state = { over: false };
  void child.ended.then(() => {
    state.over = true;
  });
  for (const port of ports) {
    while (!(await accepts(port))) {
      if (state.over || Date.now() > limit) throw new Error(`${place}: nothing listens on ${port}:\n${child.output()}`);
      await sleep(25);
    }
  }
}

async function accepts(port: number): Promise<boolean> {
  for (const host of ['127.0.0.1', '::1']) {
    const answered = await new Promise<boolean>((resolve) => {
      const socket = connect({ host, port });
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => {
        resolve(false);
      });
    });
    if (answered) return true;
  }
  return false;
}

async function freePort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return String(port);
}
