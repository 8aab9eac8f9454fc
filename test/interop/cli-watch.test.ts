/**
 * `hface-ts server --watch`: what starts the app anew, what does not, and what a mistake in it costs.
 *
 * @module
 */
import { renameSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { RunningChild } from '../support/child.ts';
import { CommandFolder } from './support/cli.ts';

const commands = new CommandFolder();
let current: RunningChild | undefined;
afterEach(async () => {
  await current?.stop('SIGKILL');
  current = undefined;
});
afterAll(() => commands.close());

/** An app that says a word, and waits a while at /wait. */
function app(word: string): string {
  return `import { ending } from './lib/ending.js';
    export default async (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === '/wait' || pathname === '/long') {
        console.error('waiting ' + process.pid);
        await new Promise((resolve) => setTimeout(resolve, pathname === '/wait' ? 700 : 3_000));
      }
      if (pathname === '/exit') process.exit(3);
      return new Response(${JSON.stringify(word)} + ending + ' ' + process.pid);
    };`;
}

/** Saves as editors do: a new file, which takes the old one's place. */
function save(name: string, text: string): void {
  const file = commands.write(`${name}.tmp`, text);
  renameSync(file, commands.path(name));
}

async function serve(folder: string, ...words: string[]): Promise<{ child: RunningChild; url: string }> {
  commands.write(`${folder}/app.js`, app('one'));
  commands.write(`${folder}/lib/ending.js`, `export const ending = '!';\n`);
  commands.write(`${folder}/package.json`, '{"type":"module"}');
  const { child, urls } = await commands.serve([`${folder}/app.js`, '-p', '0', '--watch', ...words]);
  current = child;
  return { child, url: urls[0] ?? '' };
}

/** The body of an answer, on a connection of its own. */
function ask(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    http
      .get(url, { agent: false }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('end', () => resolve(text));
        response.on('error', reject);
      })
      .on('error', reject);
  });
}

const word = async (url: string): Promise<string> => (await ask(url)).split(' ')[0] ?? '';

/** Asks until the answer is the one. Every request must be answered meanwhile. */
async function untilWord(url: string, expected: string): Promise<void> {
  while ((await word(url)) !== expected) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe('hface-ts server --watch', () => {
  it('starts anew when the app or what it imports changes; the port stays open', async () => {
    const { child, url } = await serve('changes');
    expect(await word(url)).toBe('one!');
    save('changes/app.js', app('two'));
    await untilWord(url, 'two!');
    // The old one may answer between the two lines, and log it.
    await child.waitFor(/^changes.app\.js has changed: starting anew\n[^]*^serving changes/m);
    // Written in place, as other editors do.
    writeFileSync(commands.path('changes/lib/ending.js'), `export const ending = '?';\n`);
    await untilWord(url, 'two?');
    expect(child.output()).toMatch(/^changes.lib.ending\.js has changed: starting anew$/m);
    // The endpoints are told once.
    expect(child.output().match(/^ {2}http:/gm)).toHaveLength(1);
    expect(await child.stop('SIGINT')).toMatchObject({ code: 0 });
  });

  it('does not when other files change', async () => {
    const { child, url } = await serve('others');
    const before = await ask(url);
    commands.write('others/notes.txt', 'a note');
    commands.write('others/data.json', '{}');
    commands.write('others/lib/unused.js', '');
    commands.write('others/node_modules/pkg/index.js', '');
    // A change that counts comes last: when it is seen, the others have been.
    save('others/app.js', app('two'));
    await untilWord(url, 'two!');
    expect(child.output().match(/has changed/g)).toHaveLength(1);
    expect(await ask(url)).not.toBe(before);
    expect(await child.stop()).toMatchObject({ code: 0 });
  });

  it('lets requests that run be finished by the old one', async () => {
    const { child, url } = await serve('running');
    const short = ask(`${url}wait`);
    const long = ask(`${url}long`);
    const [, pid] = await child.waitFor(/waiting (\d+)[^]*waiting/);
    save('running/app.js', app('two'));
    await untilWord(url, 'two!');
    expect(await short).toBe(`one! ${String(pid)}`);
    // It runs for longer than a restart waits, and the new one serves meanwhile.
    expect(await long).toBe(`one! ${String(pid)}`);
    expect(await child.stop()).toMatchObject({ code: 0 });
  });

  it('tells a syntax error in three lines, and the next save recovers; who asks meanwhile waits', async () => {
    const { child, url } = await serve('broken');
    save('broken/app.js', 'export default () => {\n  return new Response(\n};\n');
    await child.waitFor(/try: change it and save: it is started anew/);
    const waiting = ask(url);
    save('broken/app.js', app('mended'));
    expect(await waiting).toMatch(/^mended! /);
    const { code, stderr } = await child.stop();
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /^hface-ts: syntax error in the app: .*\n {2}at \S*broken.app\.js:3\n {2}try: change it and save: it is started anew\n/m,
    );
    expect(stderr).not.toMatch(/^\s+at .*:\d+:\d+/m);
  });

  it('recovers when a module that was missing appears', async () => {
    const { child, url } = await serve('missing');
    save('missing/app.js', `import './later.js';\n${app('two')}`);
    await child.waitFor(/imports later\.js, which is not there/);
    commands.write('missing/later.js', '');
    await untilWord(url, 'two!');
    expect(await child.stop()).toMatchObject({ code: 0 });
  });

  it('waits for a change when the app cannot be loaded at first', async () => {
    commands.write('first/app.js', 'nonsense(\n');
    const child = commands.start(['server', 'first/app.js', '-p', '0', '--watch']);
    current = child;
    await child.waitFor(/syntax error in the app[^]*started anew/);
    save('first/app.js', 'export default () => new Response("up ");\n');
    await child.waitFor(/^serving first.app\.js, a Fetch-style app\n {2}http:/m);
    expect(await child.stop()).toMatchObject({ code: 0 });
  });

  it('puts another in the place of one that ends', async () => {
    const { child, url } = await serve('ends');
    const before = await ask(url);
    await expect(ask(`${url}exit`)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(await ask(url)).not.toBe(before);
    expect(await child.stop()).toMatchObject({ code: 0 });
  });

  it('ends at once at Ctrl-C: while it waits for a change, and in the middle of a restart', async () => {
    const broken = await serve('ctrl-c');
    save('ctrl-c/app.js', 'nonsense(\n');
    await broken.child.waitFor(/started anew$/m);
    expect(await broken.child.stop('SIGINT')).toMatchObject({ code: 0 });
    const restarting = await serve('ctrl-c');
    save('ctrl-c/app.js', `await new Promise((resolve) => setTimeout(resolve, 20_000));\n${app('two')}`);
    await restarting.child.waitFor(/has changed: starting anew/);
    const result = await restarting.child.stop('SIGINT');
    expect(result).toMatchObject({ code: 0, signal: null });
    expect(result.stderr).toMatch(/starting anew\nending\n$/);
  });
});
