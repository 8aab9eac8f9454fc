/**
 * Every code block of README.md, CONTRIBUTING.md and docs/ runs: `js` as a program, `sh` command by command, `ts` and
 * `json` are checked. What is not meant to run is marked `text` (or the name of its language).
 *
 * @module
 */
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { exists, filesBelow, read } from '../support/repository.ts';
import { SnippetRunner } from '../support/snippet-runner.ts';
import { commandsOf, portsIn, snippetsOf } from '../support/snippets.ts';

const pages = ['README.md', 'CONTRIBUTING.md', ...filesBelow('docs', '.md')].filter(
  (page) => exists(page) && !page.startsWith('docs/api/'),
);
/** What a fence may say: the first four are run or checked, the others are shown only. */
const languages = ['js', 'ts', 'sh', 'json', 'text', 'http', 'diff', 'md', 'css', 'html', 'ini', 'nginx', 'mermaid'];

describe.each(pages)('%s', (page) => {
  const snippets = snippetsOf(page, read(page));
  const runner = new SnippetRunner();
  afterAll(() => runner.close());

  it('names the language of each block', () => {
    expect(snippets.filter(({ language }) => !languages.includes(language)).map(({ place }) => place)).toEqual([]);
  });

  it('links to files that exist', () => {
    const links = [...read(page).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map((match) => match[1] ?? '');
    const local = links.filter((link) => !/^[a-z]+:/.test(link));
    expect(local.filter((link) => !exists(path.posix.join(path.posix.dirname(page), link)))).toEqual([]);
  });

  const checked = snippets.filter(({ language }) => ['js', 'ts', 'sh', 'json'].includes(language));
  it.each(checked)('$place ($language)', async (snippet) => {
    await expect(runner.run(snippet)).resolves.toBeUndefined();
  });
});

describe('the scheme', () => {
  const page = [
    '# A page',
    '```js',
    '// app.js',
    'export default 1;',
    '```',
    '## Section',
    '<!-- snippet: serves, given public/a.txt, exit 3 -->',
    '',
    '1. In a list:',
    '   <!-- snippet: continues -->',
    '   ```sh',
    '   npm ci',
    '   ```',
  ];

  it('finds blocks, their sections, names and notes', () => {
    const [first, second] = snippetsOf('a.md', page.join('\n'));
    expect(first).toMatchObject({ place: 'a.md:2', language: 'js', section: 1, fileName: 'app.js', serves: false });
    expect(second).toMatchObject({ place: 'a.md:11', language: 'sh', section: 2, text: 'npm ci\n', continues: true });
    expect(second).toMatchObject({ serves: false, given: [], exit: 0 });
  });

  it('refuses an open fence and an unknown note', () => {
    expect(() => snippetsOf('a.md', '```js\n1;')).toThrow('a.md:1');
    expect(() => snippetsOf('a.md', '<!-- snippet: not run -->\n```js\n```')).toThrow('a.md:1');
  });

  it('reads commands as a shell does, and nothing that needs one', () => {
    const block =
      '$ PORT=1 npx hface-ts server \'my app.js\' \\\n  -p 8080 # here\n# no\nnpm ci && curl -H "a: \\"b\\"" x';
    expect(commandsOf(block).map(({ env, words }) => ({ env, words }))).toEqual([
      { env: { PORT: '1' }, words: ['npx', 'hface-ts', 'server', 'my app.js', '-p', '8080'] },
      { env: {}, words: ['npm', 'ci'] },
      { env: {}, words: ['curl', '-H', 'a: "b"', 'x'] },
    ]);
    for (const line of ['a | b', 'a > b', 'a & b', 'a $(b)', "a 'b"]) expect(() => commandsOf(line)).toThrow();
  });

  it('finds ports where they are ports', () => {
    expect(
      portsIn('https://localhost:5443/ 127.0.0.1:6080 [::1]:7080 -p 8080 { port: 9090 } in 2022, 65536 B'),
    ).toEqual(['5443', '6080', '7080', '8080', '9090']);
  });

  it('runs what it is given, to success and to failure', async () => {
    const runner = new SnippetRunner();
    const [good, bad, given] = snippetsOf(
      'a.md',
      '```js\nawait 1;\n```\n```js\nthrow new Error("no");\n```\n<!-- snippet: given a.txt, exit 4 -->\n```js\n' +
        "import { readFileSync } from 'node:fs'; readFileSync('a.txt'); process.exit(4);\n```",
    );
    if (!good || !bad || !given) throw new Error('three blocks');
    try {
      await expect(runner.run(good)).resolves.toBeUndefined();
      await expect(runner.run(bad)).rejects.toThrow('a.md:4');
      await expect(runner.run(given)).resolves.toBeUndefined();
    } finally {
      await runner.close();
    }
  });
});
