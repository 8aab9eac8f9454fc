import { describe, expect, it } from 'vitest';
import { commandSummaries } from '../../../cli/command-list.ts';
import { completedCommands, completionOf, spellingsOf } from '../../../cli/completion/model.ts';
import { shells } from '../../../cli/completion/options.ts';
import { main } from '../../../cli/main.ts';
import { list, text } from '../../../cli/option-table.ts';
import { TestContext } from './test-context.ts';

async function run(...words: string[]): Promise<TestContext & { code: number }> {
  const context = new TestContext();
  return Object.assign(context, { code: await main(['completion', ...words], context) });
}

describe('hface-ts completion', () => {
  it('knows every command', () => {
    expect(completedCommands.map(({ name }) => name)).toEqual(Object.keys(commandSummaries));
  });

  it.each(shells)('has every option of every command for %s', async (shell) => {
    const { code, stdout, stderr } = await run(shell);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const { name, options } of completedCommands) {
      expect(stdout).toContain(name);
      for (const row of options) {
        const spelling = shell === 'fish' ? `-l ${row.name}` : (spellingsOf(row).at(-1) as string);
        expect(stdout).toContain(spelling);
        for (const choice of row.choices ?? []) expect(stdout).toContain(choice);
      }
    }
  });

  it('tells files, folders, choices and what cannot be known apart', () => {
    expect(completionOf(text('cert', undefined, 'FILE', ''))).toBe('files');
    expect(completionOf(list('output', 'o', 'FILE', ''))).toBe('files');
    expect(completionOf(text('directory', undefined, 'DIR', ''))).toBe('folders');
    expect(completionOf(text('app-style', undefined, 'STYLE', '', ['fetch', 'asgi']))).toEqual(['fetch', 'asgi']);
    expect(completionOf(text('port', 'p', 'PORT', ''))).toBe('nothing');
  });

  it('refuses what is no shell', async () => {
    expect(await run('bahs')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: 'hface-ts: there is no completion for "bahs"\n  try: hface-ts completion bash\n',
    });
    expect((await run('powershell')).stderr).toMatch(/try: one of: bash, zsh, fish$/m);
    expect(await run()).toMatchObject({ code: 2, stderr: expect.stringMatching(/needs a shell: bash, zsh, fish/) });
    expect(await run('--help')).toMatchObject({ code: 0, stdout: expect.stringContaining('source <(hface-ts') });
  });
});
