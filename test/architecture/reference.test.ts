/**
 * The parts of the documentation that are made from the source are up to date.
 */
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { runNode } from '../support/child.ts';
import { root } from '../support/repository.ts';

describe('the reference', () => {
  it('is what the source says: else `node tools/reference.js --write`', async () => {
    const { code, stderr } = await runNode([path.join(root, 'tools/reference.js')]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});
