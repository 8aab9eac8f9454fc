/**
 * Changed certificates before the verifier of chains: a verdict each time, and never a good one for a leaf that nobody
 * issued.
 */
import { readFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import type { SeededRandom } from '../../src/networking/simulation/index.ts';
import { ServerChainVerifier } from '../../src/trust/index.ts';
import { derAuthority, derServer, newKey } from '../support/der-certificates.ts';
import { fuzz } from '../support/fuzz/campaign.ts';
import { mutate, pickOf, randomBytes } from '../support/fuzz/mutation.ts';
import { ManualClock } from '../support/manual-clock.ts';

class TodaysClock extends ManualClock {
  override wallTime(): number {
    return Date.now();
  }
}

interface LimboCase {
  readonly untrusted: readonly string[];
  readonly leaf: string;
}

const root = derAuthority({ subject: 'root' });
const intermediate = derAuthority({ subject: 'intermediate', issuer: root });
const edwards = derAuthority({ subject: 'edwards', issuer: root, key: newKey('ed25519') });
const own: readonly Uint8Array[] = [
  derServer(root).der,
  derServer(intermediate).der,
  derServer(edwards).der,
  derServer(intermediate, { key: newKey('rsa2048') }).der,
];
const above: readonly Uint8Array[] = [intermediate.der, edwards.der, root.der];
const issued = new Set(own.map((der) => Buffer.from(der).toString('hex')));
const foreign: readonly Uint8Array[] = readFileSync(
  new URL('../vectors/x509-limbo/cases.jsonl', import.meta.url),
  'utf8',
)
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as LimboCase)
  .flatMap(({ leaf, untrusted }) => [leaf, ...untrusted])
  .map((base64) => Uint8Array.from(Buffer.from(base64, 'base64')));
const corpus = [...own, ...own, ...above, ...foreign];
/** Heads of structures: lengths, booleans, versions, extensions. */
const WORDS: readonly Uint8Array[] = [
  Uint8Array.of(0x30, 0x80),
  Uint8Array.of(0x30, 0x82, 0xff, 0xff),
  Uint8Array.of(0x01, 0x01, 0xff),
  Uint8Array.of(0xa3, 0x82),
  Uint8Array.of(0x05, 0x00),
  Uint8Array.of(0x06, 0x03, 0x55, 0x1d, 0x13),
  Uint8Array.of(0x06, 0x03, 0x55, 0x1d, 0x1e),
  Uint8Array.of(0x02, 0x01, 0x00),
];

function anyOf(random: SeededRandom): Uint8Array {
  if (random.chance(0.02)) return randomBytes(random, 300);
  if (random.chance(0.4)) return pickOf(random, [...own, ...above]);
  return mutate(random, corpus, WORDS);
}

describe('chains', () => {
  fuzz('X.509, chains', 400, async (random) => {
    const chain = Array.from({ length: random.integer(1, 5) }, () => anyOf(random));
    const verifier = new ServerChainVerifier({ ca: root.pem }, { clock: new TodaysClock() });
    const host = random.pick(['localhost', '127.0.0.1', 'example.com']);
    const verdict = await verifier.verify({ chain, host });
    if (!verdict.accepted) {
      expect(verdict.code).toMatch(/^ERR_CERT_(?:INVALID|AUTHORITY|SELF_SIGNED|EXPIRED|NOT_YET_VALID|PURPOSE|NAME)$/);
      return;
    }
    const leaf = Buffer.from(chain[0] ?? []).toString('hex');
    if (!issued.has(leaf) || host === 'example.com') throw new Error(`${leaf} was accepted for ${host}`);
  });
});
