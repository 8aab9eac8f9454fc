/**
 * 64 MiB both ways through an app of each style at once, with readers that take 4 MiB a second: our client and our server,
 * each a process of its own. Neither grows by what is on its way, and no byte is lost. Real time and real sockets: what is
 * shown is that the wait of the slow end reaches the fast one through all that lies between them.
 *
 * @module
 */
import { describe, expect, it } from 'vitest';
import { flow, systemBuffers } from '../support/flow/flow.ts';
import { makeCertificate } from '../support/test-certificates.ts';

const MIB = 1 << 20;
const BYTES = 64 * MIB;

describe.each(['http', 'https'] as const)('64 MiB at 4 MiB/s over %s, four transfers at once', (scheme) => {
  it('holds writers back to the pace of their readers within 32 MiB on either side', async () => {
    const identity = makeCertificate({ names: ['127.0.0.1'] });
    const tls = scheme === 'http' ? undefined : { cert: identity.cert, key: identity.key };
    const outcome = await flow({ bytes: BYTES, rate: 4 * MIB, tls, every: 250, looks: 3 });
    for (const { name, status, written, read, lead } of outcome.transfers) {
      expect([name, status, written.bytes, read.bytes]).toEqual([name, 200, BYTES, BYTES]);
      expect(read.digest, name).toBe(written.digest);
      // A writer that nobody holds back is 64 MiB ahead at once.
      expect(lead, `${name}: written and not yet read`).toBeLessThan(systemBuffers() + 4 * MIB);
    }
    for (const side of ['server', 'client'] as const) {
      const { resident, reachable, kept } = outcome[side];
      expect(resident, `growth of the ${side}'s resident size`).toBeLessThan(32 * MIB);
      expect(reachable, `what the ${side} holds on the way`).toBeLessThan(16 * MIB);
      expect(kept, `what the ${side} keeps`).toBeLessThan(2 * MIB);
    }
    expect(outcome.exits, 'nothing keeps either process alive').toEqual([0, 0]);
  });
});
