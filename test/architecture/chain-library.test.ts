/**
 * The library of chains: loaded by the first chain that must be checked, and by nothing before it.
 */
import { describe, expect, it } from 'vitest';
import { runNode } from '../support/child.ts';
import { derAuthority, derServer } from '../support/der-certificates.ts';

const root = derAuthority();
const leaf = derServer(root);

/** Prints what is resolved from node_modules, and what the verifier answers, in order. */
const script = `
  import module from 'node:module';
  import { writeSync } from 'node:fs';
  const note = (text) => writeSync(1, text + '\\n');
  const hook = 'import { writeSync } from "node:fs";' +
    'export async function resolve(specifier, context, next) {' +
    '  const found = await next(specifier, context);' +
    '  if (!specifier.startsWith(".") && found.url.includes("/node_modules/")) writeSync(1, "loads " + specifier + "\\\\n");' +
    '  return found;' +
    '}';
  module.register('data:text/javascript,' + encodeURIComponent(hook));
  const { ServerChainVerifier } = await import('hface-ts/trust');
  const clock = { now: () => 0, wallTime: () => Date.now(), schedule: () => ({ cancel: () => undefined }) };
  const chain = [Buffer.from('${leaf.der.toString('base64')}', 'base64')];
  const ca = ${JSON.stringify(root.pem)};
  for (const config of [{ insecure: true }, { ca }, { ca }]) {
    const verdict = await new ServerChainVerifier(config, { clock }).verify({ chain, host: 'localhost' });
    note('answers ' + JSON.stringify(verdict));
  }
`;

describe('the library that validates paths', () => {
  it('is loaded by the first chain that is checked, once', async () => {
    const { code, stdout, stderr } = await runNode(['--no-warnings', '--input-type=module', '-e', script]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.split('\n').filter((line) => line !== '');
    const accepted = 'answers {"accepted":true}';
    expect(lines[0]).toBe(accepted);
    expect(lines.slice(-2)).toEqual([accepted, accepted]);
    const loaded = lines.slice(1, -2).map((line) => line.replace('loads ', ''));
    expect(loaded).toEqual(expect.arrayContaining(['asn1js', 'pkijs']));
  });
});
