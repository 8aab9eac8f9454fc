/**
 * The second implementations as users choose them: by name on the built command line, and through a module of their own.
 *
 * @module
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { root } from '../support/repository.ts';
import { CommandFolder } from './support/cli.ts';

const commands = new CommandFolder();
afterAll(() => commands.close());

commands.write(
  'app.js',
  'export default (request) => new Response(`${request.method} ${new URL(request.url).pathname}\\n`);\n',
);

/** Asks a server that was started with some words, by a client with others. */
async function ask(server: readonly string[], client: readonly string[]): Promise<string> {
  const { child, urls } = await commands.serve(['app.js', '-p', '0', ...server]);
  const { code, stdout, stderr } = await commands.run(['client', `${urls[0] as string}x`, ...client]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  await child.stop('SIGTERM');
  return stdout;
}

describe('--http1-impl node', () => {
  it('loads the engine on node:http when it is named, on either side', async () => {
    expect(await ask(['--http1-impl', 'node'], [])).toBe('GET /x\n');
    expect(await ask([], ['--http1-impl', 'node'])).toBe('GET /x\n');
    expect(await ask(['--http1-impl', 'node'], ['--http1-impl', 'node', '-d', 'content'])).toBe('POST /x\n');
  });

  it('takes it from a module as well', async () => {
    const entry = pathToFileURL(path.join(root, 'dist/src/engines/node-http/index.js')).href;
    commands.write(
      'engine.mjs',
      `import { nodeHttpRegistryEntry } from ${JSON.stringify(entry)};
       export const register = (registry) => registry.register({ ...nodeHttpRegistryEntry, name: 'mine' });`,
    );
    const words = ['--engine-module', 'engine.mjs', '--http1-impl', 'mine'];
    expect(await ask(words, words)).toBe('GET /x\n');
  });

  it('names what there is', async () => {
    const { code, stderr } = await commands.run(['client', 'http://127.0.0.1:9/', '--http1-impl', 'noode']);
    expect(code).toBe(2);
    expect(stderr).toContain('--http1-impl node');
  });
});

describe('--http2-impl', () => {
  it('loads the engines on Node’s sessions when they are named', async () => {
    expect(await ask(['--http2', '--http2-impl', 'node'], ['--http2'])).toBe('GET /x\n');
    expect(await ask(['--http2'], ['--http2', '--http2-impl', 'wrapper'])).toBe('GET /x\n');
  });
});
