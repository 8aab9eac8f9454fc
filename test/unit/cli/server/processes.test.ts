import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { chooseProcesses } from '../../../../cli/server/processes.ts';
import type { Processes } from '../../../../cli/server/processes.ts';
import { serverCommand } from '../../../../cli/server/options.ts';
import { parseCommand } from '../../../../cli/parse-command.ts';
import { parseEndpoint } from '../../../../src/common/index.ts';
import { TestContext } from '../test-context.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'hface-ts-processes-'));
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(path.join(folder, 'app.js'), '');

async function choose(words: string, endpoint = 'http://localhost:0'): Promise<Processes | undefined> {
  const context = new TestContext({ directory: folder });
  const values = await parseCommand(words.split(' '), serverCommand, context);
  if (values === undefined) throw new Error('help');
  return chooseProcesses(values, [parseEndpoint(endpoint)], context);
}

describe('chooseProcesses', () => {
  it('asks for none by default', async () => {
    expect(await choose('app.js')).toBeUndefined();
  });

  it('takes a number, and auto', async () => {
    expect(await choose('app.js --workers 1')).toEqual({ count: 1, watched: undefined });
    expect(await choose('app.js --workers 256')).toEqual({ count: 256, watched: undefined });
    expect(await choose('app.js --workers auto')).toEqual({ count: availableParallelism(), watched: undefined });
  });

  it.each(['0', '-1', '257', '1.5', 'all', ''])('refuses "%s" workers', async (count) => {
    await expect(choose(`app.js --workers=${count}`)).rejects.toMatchObject({ exitCode: 2 });
  });

  it('watches a file of the user, with or without an export', async () => {
    expect(await choose('app.js --watch')).toEqual({ count: 1, watched: path.join(folder, 'app.js') });
    expect(await choose('app.js:admin --watch')).toEqual({ count: 1, watched: path.join(folder, 'app.js') });
    await expect(choose('. --watch')).rejects.toMatchObject({ exitCode: 2, message: /--watch is for apps/ });
    await expect(choose('hface-ts/examples/hello --watch')).rejects.toMatchObject({ exitCode: 2 });
    await expect(choose('app.js --watch --workers 2')).rejects.toMatchObject({ exitCode: 2 });
  });

  it('refuses by name what Windows lacks', async () => {
    const platform = Object.getOwnPropertyDescriptor(process, 'platform') as PropertyDescriptor;
    Object.defineProperty(process, 'platform', { ...platform, value: 'win32' });
    try {
      const failure = choose('app.js --workers 2', 'unix:/run/app.sock');
      await expect(failure).rejects.toThrow(
        /Windows cannot hand connections of http\+unix:\/run\/app\.sock .* --workers/,
      );
    } finally {
      Object.defineProperty(process, 'platform', platform);
    }
  });
});
