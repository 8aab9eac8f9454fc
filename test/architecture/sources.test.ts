/**
 * What every file keeps: the block that says what it owns, its size, no path of one machine, nothing left for later.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { exists, filesBelow, publicEntries, read, root, sourceFiles } from '../support/repository.ts';

/** Tables may be long: they are data. */
const isTable = (file: string): boolean => /table|generated/.test(path.posix.basename(file));

/** Files under version control, from the root; those of the folder itself where there is no git. */
function committedFiles(): string[] {
  if (!exists('.git')) return [...sourceFiles(), ...filesBelow('test', '.ts'), ...filesBelow('docs', '.md')];
  const listed = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' });
  return listed.split('\0').filter((file) => file !== '' && exists(file));
}

describe('sources', () => {
  it('begin with a @module block', () => {
    const bare = sourceFiles().filter((file) => !/^(#!.*\n)?\/\*\*[^/]*(?:\/(?!\*)[^/]*)*?@module\b/.test(read(file)));
    expect(bare).toEqual([]);
  });

  it('have at most 500 lines, tables apart', () => {
    const long = [...sourceFiles(), ...filesBelow('tools', '.js'), ...filesBelow('bench', '.ts')]
      .filter((file) => !isTable(file))
      .map((file) => ({ file, lines: read(file).split('\n').length - 1 }))
      .filter(({ lines }) => lines > 500);
    expect(long).toEqual([]);
  });

  it('leave nothing for later and switch no check off', () => {
    const marks = /\b(TODO|FIXME|XXX|HACK)\b|@ts-ignore|@ts-nocheck|@ts-expect-error|eslint-disable|prettier-ignore/;
    const marked = sourceFiles().filter((file) => marks.test(read(file)));
    expect(marked).toEqual([]);
  });
});

describe('tests', () => {
  it('all run: none is marked to run alone, later or never', () => {
    const marks = /\b(it|test|describe)\.(only|skip|todo|fails)\b/;
    const marked = filesBelow('test', '.test.ts').filter((file) => file !== 'test/architecture/sources.test.ts');
    expect(marked.filter((file) => marks.test(read(file)))).toEqual([]);
  });
});

describe('committed files', () => {
  it('hold no path of one machine', () => {
    // Short names such as /root would be found in ordinary prose, so a home counts with what follows it.
    const places = [path.dirname(root), homedir(), path.join(path.dirname(homedir()), userInfo().username)]
      .filter((place) => place.length > 1 && place !== tmpdir())
      .map((place) => `${place}${path.sep}`);
    const telling = committedFiles().filter((file) => {
      const at = path.join(root, file);
      if (file === 'package-lock.json' || !statSync(at).isFile() || statSync(at).size > 2_000_000) return false;
      const text = readFileSync(at, 'latin1');
      return places.some((place) => text.includes(place));
    });
    expect(telling).toEqual([]);
  });

  it('have a lock file without addresses of a registry', () => {
    expect(read('package-lock.json')).not.toMatch(/"resolved": "http/);
  });
});

describe('typedoc.json', () => {
  it('documents every entry of the exports map', () => {
    const { entryPoints } = JSON.parse(read('typedoc.json')) as { entryPoints: string[] };
    expect([...entryPoints].sort()).toEqual(
      publicEntries()
        .map((entry) => entry.source)
        .sort(),
    );
  });
});
