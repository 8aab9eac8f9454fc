import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseCoding } from '../../src/app/static/accept-encoding.ts';
import { entityTag, matchesStrongly, matchesWeakly, parseEntityTags } from '../../src/app/static/entity-tag.ts';
import { formatHttpDate, parseHttpDate } from '../../src/app/static/http-date.ts';
import { maxRanges, parseRanges } from '../../src/app/static/ranges.ts';
import { isServableName, parseStaticPath } from '../../src/app/static/static-path.ts';
import { parsePriority } from '../../src/app/priority-field.ts';
import { requestUrl } from '../../src/app/request-target.ts';
import { FakeExchange } from '../unit/app/fake-exchange.ts';

/** Text made of what attacks are made of. */
const nasty = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '/',
        '..',
        '.',
        '%2e',
        '%2E',
        '%2f',
        '%5c',
        '\\',
        '%00',
        ':',
        '%3A',
        'c:',
        '//',
        'con',
        'nul.txt',
        '~1',
      ),
      fc.constantFrom(
        '%25',
        '%c0%ae',
        '%u002e',
        ' ',
        '%20',
        '$',
        '::$DATA',
        'a',
        'b.txt',
        'é',
        '%C3%A9',
        '?',
        '#',
        '*',
      ),
      fc.string({ maxLength: 3 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => `/${parts.join('')}`);

describe('a path', () => {
  it('never leads out of its folder, on any system', () => {
    fc.assert(
      fc.property(nasty, (pathname) => {
        const parsed = parseStaticPath(pathname);
        if (parsed === undefined) return;
        expect(parsed.names.every(isServableName)).toBe(true);
        for (const [system, root] of [[path.posix, '/srv/www'] as const, [path.win32, 'C:\\srv\\www'] as const]) {
          const joined = system.join(root, ...parsed.names);
          expect(joined === root || joined.startsWith(root + system.sep)).toBe(true);
          expect(system.relative(root, joined)).toBe(parsed.names.join(system.sep));
        }
      }),
      { numRuns: 5000 },
    );
  });

  it('in a request has a URL with the same authority and path, or none', () => {
    fc.assert(
      fc.property(
        nasty,
        fc.constantFrom('example.com', 'example.com:80', '[::1]:1', 'a@b', 'a/b', 'a\\b'),
        (target, authority) => {
          const parts = requestUrl(new FakeExchange({ path: target, authority }));
          if (parts === undefined) return;
          const url = parts.origin + parts.path;
          const parsed = new URL(url);
          expect(parsed.host).toBe(authority.replace(/:80$/, ''));
          expect(parsed.username + parsed.password + parsed.hash).toBe('');
          if (!/[^\x21-\x7e]/.test(target)) expect(url.endsWith(target)).toBe(true);
        },
      ),
      { numRuns: 5000 },
    );
  });
});

describe('ranges', () => {
  const number = fc.oneof(fc.nat(120).map(String), fc.constantFrom('', '0', '99999999999999999999', '-1', 'x'));
  const header = fc
    .array(fc.tuple(number, number), { maxLength: 20 })
    .map((specs) => `bytes=${specs.map(([first, last]) => `${first}-${last}`).join(', ')}`);

  it('lie in the file, do not overlap and are few', () => {
    fc.assert(
      fc.property(header, fc.integer({ min: 0, max: 100 }), (text, size) => {
        const ranges = parseRanges(text, size);
        if (typeof ranges === 'string') return;
        expect(ranges.length).toBeGreaterThan(0);
        expect(ranges.length).toBeLessThanOrEqual(maxRanges);
        let covered = 0;
        for (const { start, length } of ranges) {
          expect(start).toBeGreaterThanOrEqual(0);
          expect(length).toBeGreaterThan(0);
          expect(start + length).toBeLessThanOrEqual(size);
          covered += length;
        }
        expect(covered).toBeLessThanOrEqual(size);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('fields of a request', () => {
  it('may hold anything', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        const tag = entityTag({ size: 1, modified: 2n, changed: 3n, device: 4n, inode: 5n });
        const list = parseEntityTags(text);
        expect(matchesStrongly(list, tag) && !matchesWeakly(list, tag)).toBe(false);
        expect(['br', undefined]).toContain(chooseCoding(text, ['br']));
        const priority = parsePriority(text);
        expect(priority.urgency).toBeGreaterThanOrEqual(0);
        expect(priority.urgency).toBeLessThanOrEqual(7);
        const seconds = parseHttpDate(text);
        expect(seconds === undefined || Number.isInteger(seconds)).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  it('keep dates that were written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253_402_300_799 }), (seconds) => {
        expect(parseHttpDate(formatHttpDate(seconds))).toBe(seconds);
      }),
    );
  });
});
