/**
 * A GiB both ways through an app of each style at once, with readers that take a MiB a second: seventeen minutes in which
 * neither process may grow with what has passed through it.
 *
 * @module
 */
import { describe, expect, it } from 'vitest';
import { mebibytes, recordFigures } from '../support/figures.ts';
import { flow, systemBuffers } from '../support/flow/flow.ts';

const MIB = 1 << 20;
const BYTES = 1024 * MIB;

describe('1 GiB at 1 MiB/s, four transfers at once', () => {
  it('holds writers back to the pace of their readers within 32 MiB on either side', async () => {
    const outcome = await flow({ bytes: BYTES, rate: MIB, every: 1000, looks: 16 });
    const { transfers, server, client } = outcome;
    recordFigures(
      '1 GiB at 1 MiB/s, four transfers at once: transfers',
      transfers.map(({ name, read, lead, seconds }) => ({
        transfer: name,
        read: mebibytes(read.bytes),
        'written and not yet read, at most': mebibytes(lead),
        seconds: seconds.toFixed(0),
      })),
    );
    recordFigures(
      '1 GiB at 1 MiB/s, four transfers at once: growth',
      Object.entries({ server, client }).map(([side, { resident, reachable, kept }]) => ({
        side,
        'resident size, at its highest': mebibytes(resident),
        'reachable, at its highest': mebibytes(reachable),
        'reachable at the end': mebibytes(kept),
      })),
    );
    for (const { name, status, written, read, lead } of transfers) {
      expect([name, status, written.bytes, read.bytes]).toEqual([name, 200, BYTES, BYTES]);
      expect(read.digest, name).toBe(written.digest);
      expect(lead, `${name}: written and not yet read`).toBeLessThan(systemBuffers() + 4 * MIB);
    }
    for (const { resident, reachable, kept } of [server, client]) {
      expect(resident, 'growth of the resident size').toBeLessThan(32 * MIB);
      expect(reachable, 'what is held on the way').toBeLessThan(16 * MIB);
      expect(kept, 'what is kept').toBeLessThan(2 * MIB);
    }
    expect(outcome.exits, 'nothing keeps either process alive').toEqual([0, 0]);
  });
});
