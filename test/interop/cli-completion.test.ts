/**
 * The scripts of `hface-ts completion` in the shells that they are for.
 *
 * @module
 */
import { mkdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runChild } from '../support/child.ts';
import { CommandFolder } from './support/cli.ts';
import { findProgram } from './support/peers.ts';

const commands = new CommandFolder();
beforeAll(async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, stdout } = await commands.run(['completion', shell]);
    expect(code).toBe(0);
    commands.write(`completion.${shell}`, stdout);
  }
  commands.write('chain.pem', '');
  commands.write('chain two.pem', '');
  mkdirSync(commands.path('chains'));
});
afterAll(() => commands.close());

const bash = findProgram('bash');
const zsh = findProgram('zsh');
const fish = findProgram('fish');

/** What bash offers for the words, the last of which is being typed. */
async function inBash(...words: string[]): Promise<string[]> {
  const program = `
    source completion.bash
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    complete -p hface-ts > /dev/null && _hface_ts && printf '%s\\n' "\${COMPREPLY[@]}"`;
  const result = await runChild(bash ?? '', ['--norc', '-c', program, 'bash', 'hface-ts', ...words], {
    cwd: commands.folder,
  });
  expect(result).toMatchObject({ code: 0, stderr: '' });
  return result.stdout.split('\n').filter((line) => line !== '');
}

describe.skipIf(bash === undefined)('in bash', () => {
  it('commands', async () => {
    expect(await inBash('c')).toEqual(['client', 'cert', 'completion']);
    expect(await inBash('--v')).toEqual(['--version']);
    expect(await inBash('help', 's')).toEqual(['server']);
    expect(await inBash('completion', '')).toEqual(['bash', 'zsh', 'fish']);
  });

  it('options and their choices', async () => {
    expect(await inBash('server', 'app.js', '--wor')).toEqual(['--workers']);
    expect(await inBash('server', '--log-')).toEqual(['--log-level', '--log-format']);
    expect(await inBash('server', '--log-format', '')).toEqual(['pretty', 'json', 'clf']);
    // bash makes three words of one here.
    expect(await inBash('server', '--log-format', '=', 'js')).toEqual(['json']);
    expect(await inBash('server', '--log-format', '=')).toEqual(['pretty', 'json', 'clf']);
    expect(await inBash('client', '--frob')).toEqual([]);
  });

  it('files where a file is wanted, and no others', async () => {
    expect((await inBash('server', '--cert', 'ch')).sort()).toEqual(['chain two.pem', 'chain.pem', 'chains']);
    expect((await inBash('server', 'ch')).sort()).toEqual(['chain two.pem', 'chain.pem', 'chains']);
    expect(await inBash('cert', '--directory', 'ch')).toEqual(['chains']);
    expect(await inBash('server', '--port', '')).toEqual([]);
    expect(await inBash('client', 'ch')).toEqual([]);
  });
});

describe.skipIf(zsh === undefined)('in zsh', () => {
  it('is read without a complaint, and registers itself', async () => {
    const program = 'autoload -U compinit && compinit -u -D && source completion.zsh && print -- $_comps[hface-ts]';
    const result = await runChild(zsh ?? '', ['-f', '-c', program], {
      cwd: commands.folder,
      env: { HOME: commands.folder },
    });
    expect(result).toMatchObject({ code: 0, stdout: '_hface_ts\n', stderr: '' });
  });
});

describe.skipIf(fish === undefined)('in fish', () => {
  /** What fish offers for a line. */
  async function inFish(line: string): Promise<string[]> {
    const words = ['--no-config', '-c', `source completion.fish; complete -C ${JSON.stringify(line)}`];
    const result = await runChild(fish ?? '', words, { cwd: commands.folder, env: { HOME: commands.folder } });
    expect(result.code, result.stderr).toBe(0);
    return result.stdout.split('\n').flatMap((text) => (text === '' ? [] : [text.split('\t')[0] as string]));
  }

  it('commands, options, choices and files', async () => {
    expect(await inFish('hface-ts c')).toEqual(['cert', 'client', 'completion']);
    expect(await inFish('hface-ts server --wor')).toEqual(['--workers']);
    expect(await inFish('hface-ts server --log-format ')).toEqual(['clf', 'json', 'pretty']);
    expect(await inFish('hface-ts server --cert chain.')).toEqual(['chain.pem']);
    expect(await inFish('hface-ts client chain.')).toEqual([]);
    expect(await inFish('hface-ts cert --directory ch')).toEqual(['chains/']);
  });
});
