import { describe, expect, it } from 'vitest';
import {
  describeScope,
  isWithinScope,
  nameScope,
  parseSubjectName,
  parseSubjectNames,
} from '../../../src/certificates/names.ts';
import { ConfigurationError } from '../../../src/common/index.ts';

describe('names of a certificate (RFC 5280 section 4.2.1.6)', () => {
  it.each([
    ['localhost', 'dns', 'localhost'],
    ['LocalHost.', 'dns', 'localhost'],
    ['a_b.localhost', 'dns', 'a_b.localhost'],
    ['*.app.localhost', 'dns', '*.app.localhost'],
    ['bücher.localhost', 'dns', 'xn--bcher-kva.localhost'],
    ['127.0.0.1', 'ip', '127.0.0.1'],
    ['::1', 'ip', '::1'],
    ['[::1]', 'ip', '::1'],
    ['0:0:0:0:0:0:0:1', 'ip', '::1'],
    ['FE80::00AB', 'ip', 'fe80::ab'],
    ['1:2:3:4:5:6:7:8', 'ip', '1:2:3:4:5:6:7:8'],
    ['::ffff:127.0.0.1', 'ip', '::ffff:7f00:1'],
    ['1::', 'ip', '1::'],
  ])('%s is %s %s', (text, kind, canonical) => {
    expect(parseSubjectName(text)).toMatchObject({ kind, text: canonical });
  });

  it('gives addresses as bytes', () => {
    expect(parseSubjectName('127.0.0.1')).toMatchObject({ bytes: Uint8Array.of(127, 0, 0, 1) });
    expect(parseSubjectName('fe80::1:2')).toMatchObject({
      bytes: Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2),
    });
    expect(parseSubjectName('::ffff:127.0.0.1')).toMatchObject({
      bytes: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1),
    });
  });

  it.each([
    '',
    '.',
    'a..b',
    '-a.localhost',
    'a-.localhost',
    'local host',
    'localhost:5443',
    'https://localhost',
    'localhost/path',
    '127.1',
    '2130706433',
    '0x7f000001',
    '127.0.0.256',
    'fe80::1%eth0',
    '[::1',
    ':::1',
    '*',
    '*.localhost',
    'a.*.localhost',
    `${'a'.repeat(64)}.localhost`,
    `${'a.'.repeat(127)}localhost`,
    'a\u0000.localhost',
    'a\nb',
  ])('refuses %j', (name) => {
    expect(() => parseSubjectName(name)).toThrow(ConfigurationError);
    expect(() => parseSubjectName(name)).toThrow(expect.objectContaining({ code: 'ERR_CERTIFICATE_NAME' }));
  });

  it('prints no control character of a refused name', () => {
    expect(() => parseSubjectName('\u001b[2Jx')).toThrow('"\\x1b[2Jx" is neither');
  });

  it('drops duplicates and keeps the order', () => {
    const names = parseSubjectNames(['::1', 'LOCALHOST', '[0::1]', 'localhost', '127.0.0.1']);
    expect(names.map((name) => name.text)).toEqual(['::1', 'localhost', '127.0.0.1']);
  });

  it('wants at least one name and at most 100', () => {
    expect(() => parseSubjectNames([])).toThrow('at least one name');
    const many = Array.from({ length: 101 }, (_, i) => `n${i}.localhost`);
    expect(parseSubjectNames(many.slice(1))).toHaveLength(100);
    expect(() => parseSubjectNames(many)).toThrow('101 names are more than the 100');
  });
});

describe('what a CA may sign (RFC 5280 section 4.2.1.10)', () => {
  const within = (scope: 'loopback' | 'private', name: string): boolean =>
    isWithinScope(nameScope(scope), parseSubjectName(name));

  it.each(['localhost', 'a.localhost', '*.a.localhost', '127.0.0.1', '127.255.255.255', '::1'])(
    'loopback permits %s, and so does private',
    (name) => {
      expect([within('loopback', name), within('private', name)]).toEqual([true, true]);
    },
  );

  it.each([
    'printer.local',
    'app.test',
    'db.internal',
    'nas.home.arpa',
    '10.1.2.3',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.1.1',
    'fd00::1',
    'fe80::1',
  ])('only private permits %s', (name) => {
    expect([within('loopback', name), within('private', name)]).toEqual([false, true]);
  });

  it.each([
    'example.com',
    'localhost.example.com',
    'notlocalhost',
    'arpa',
    '126.255.255.255',
    '128.0.0.1',
    '::2',
    '::ffff:127.0.0.1',
    '172.32.0.1',
    '8.8.8.8',
    '2001:db8::1',
    'fec0::1',
  ])('neither permits %s', (name) => {
    expect([within('loopback', name), within('private', name)]).toEqual([false, false]);
  });

  it('is said in words', () => {
    expect(describeScope(nameScope('loopback'))).toEqual(['localhost', '*.localhost', '127.0.0.0/8', '::1/128']);
    expect(describeScope(nameScope('private'))).toContain('*.home.arpa');
  });
});
