/**
 * x509-limbo: every case through the verifier of chains, against results.json, which says of each what is expected and
 * what came. A case that gets worse fails; so does one that gets better, until the file says so (`vitest -u`).
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../src/common/index.ts';
import { ServerChainVerifier } from '../../src/trust/index.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { read } from '../support/repository.ts';
import { limboShortfalls } from './support/limbo-shortfalls.ts';

const folder = path.join(import.meta.dirname, 'x509-limbo');

interface LimboCase {
  readonly id: string;
  readonly expected: 'SUCCESS' | 'FAILURE';
  readonly kind: string;
  /** `null`: the suite's certificates are valid today and long after. */
  readonly time: string | null;
  readonly name: string;
  readonly trusted: readonly string[];
  readonly untrusted: readonly string[];
  readonly leaf: string;
}

interface LimboResult {
  readonly id: string;
  readonly expected: string;
  readonly got: string;
  readonly because: string;
}

const cases = readFileSync(path.join(folder, 'cases.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as LimboCase);

class LimboClock extends ManualClock {
  readonly #wall: number;

  constructor(time: string | null) {
    super();
    this.#wall = time === null ? Date.UTC(2024, 0, 1) : Date.parse(time);
  }

  override wallTime(): number {
    return this.#wall;
  }
}

function pem(base64: string): string {
  return ['-----BEGIN CERTIFICATE-----', ...(base64.match(/.{1,64}/g) ?? []), '-----END CERTIFICATE-----'].join('\n');
}

async function run(limbo: LimboCase): Promise<LimboResult> {
  const { id, expected } = limbo;
  try {
    const clock = new LimboClock(limbo.time);
    const verifier = new ServerChainVerifier({ ca: limbo.trusted.map(pem) }, { clock });
    const chain = [limbo.leaf, ...limbo.untrusted].map((base64) => Buffer.from(base64, 'base64'));
    const verdict = await verifier.verify({ chain, host: limbo.name });
    const because = verdict.accepted ? '' : `${verdict.code}: ${verdict.reason}`;
    return { id, expected, got: verdict.accepted ? 'SUCCESS' : 'FAILURE', because };
  } catch (error) {
    // An authority that cannot be read is an error of the configuration.
    if (!(error instanceof ConfigurationError)) throw error;
    return { id, expected, got: 'FAILURE', because: `${error.code}: ${error.message}` };
  }
}

describe('x509-limbo', () => {
  const results: Promise<LimboResult[]> = Promise.all(cases.map(run));

  it('comes out as results.json says', async () => {
    const lines = (await results).map((result) => `  ${JSON.stringify(result)}`);
    await expect(`[\n${lines.join(',\n')}\n]\n`).toMatchFileSnapshot(path.join(folder, 'results.json'));
  });

  it('agrees but where a reason is given, and no reason is without its case', async () => {
    expect(cases.length).toBe(135);
    expect(cases.every(({ kind }) => kind === 'SERVER')).toBe(true);
    const differing = (await results).filter(({ expected, got }) => expected !== got).map(({ id }) => id);
    expect(differing.sort()).toEqual(Object.keys(limboShortfalls).sort());
  });

  it('has its shortfalls in docs/conformance.md', () => {
    const page = read('docs/conformance.md');
    expect(Object.keys(limboShortfalls).filter((id) => !page.includes(`\`${id}\``))).toEqual([]);
  });
});
