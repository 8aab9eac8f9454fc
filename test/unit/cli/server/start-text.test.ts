import { describe, expect, it } from 'vitest';
import { startLines } from '../../../../cli/server/start-text.ts';
import { parseEndpoint } from '../../../../src/common/index.ts';

const facts = {
  title: 'app.js, a Fetch-style app',
  http3Endpoints: [],
  http3Only: false,
  caFile: undefined,
  clientCertificate: false,
  remark: undefined,
};

describe('startLines', () => {
  it('are URLs and commands that can be copied', () => {
    const endpoints = ['http://localhost:5080', 'https://localhost:5443'].map((text) => parseEndpoint(text));
    expect(startLines({ ...facts, endpoints, caFile: "/home/o'neill/my ca.pem", remark: 'a remark' })).toEqual([
      'serving app.js, a Fetch-style app',
      '  http://localhost:5080/',
      '  https://localhost:5443/',
      "  curl --cacert '/home/o'\\''neill/my ca.pem' https://localhost:5443/",
      '  (a remark)',
    ]);
  });

  it.each([
    ['https://0.0.0.0:443', ['  https://localhost/  (on every address)']],
    ['http://[::]:8080', ['  http://localhost:8080/  (on every address)']],
    ['http://[::1]:80', ['  http://[::1]/']],
    ['unix:/run/a b.sock', ['  http+unix:/run/a b.sock', "  curl --unix-socket '/run/a b.sock' http://localhost/"]],
  ])('%s', (endpoint, expected) => {
    expect(startLines({ ...facts, endpoints: [parseEndpoint(endpoint)] }).slice(1)).toEqual(expected);
  });

  it('says where HTTP/3 is spoken, and how to ask where nothing else is', () => {
    const endpoints = ['http://localhost:5080', 'https://0.0.0.0:5443'].map((text) => parseEndpoint(text));
    const http3Endpoints = endpoints.slice(1);
    expect(startLines({ ...facts, endpoints, http3Endpoints }).slice(1)).toEqual([
      '  http://localhost:5080/',
      '  https://localhost:5443/  (on every address, HTTP/3 too)',
    ]);
    expect(startLines({ ...facts, endpoints: http3Endpoints, http3Endpoints, http3Only: true }).slice(1)).toEqual([
      '  https://localhost:5443/  (on every address, HTTP/3 only)',
      '  hface-ts client --http3-only https://localhost:5443/',
    ]);
  });

  it('says what a client must show', () => {
    const endpoints = [parseEndpoint('https://localhost:5443')];
    expect(startLines({ ...facts, endpoints, clientCertificate: true }).at(-1)).toBe(
      '  curl --cert FILE --key FILE https://localhost:5443/',
    );
  });
});
