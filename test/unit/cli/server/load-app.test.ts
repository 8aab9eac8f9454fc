import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadApp } from '../../../../cli/server/load-app.ts';
import { Response as FastResponse } from '../../../../src/fetch/index.ts';
import { serverCommand } from '../../../../cli/server/options.ts';
import { valuesOf } from '../option-values.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'hface-ts-load-'));
const before = { Response: globalThis.Response, Request: globalThis.Request, fetch: globalThis.fetch };
afterAll(() => {
  Object.assign(globalThis, before);
  rmSync(folder, { recursive: true });
});

/** Keeps the class that it finds while it is loaded. */
const source = 'const Found = Response; export default { fetch: () => new Found("x") };';

describe('loadApp', () => {
  it('leaves the globals alone', async () => {
    writeFileSync(path.join(folder, 'plain.mjs'), source);
    const { app } = await loadApp('plain.mjs', await valuesOf(serverCommand, 'plain.mjs'), folder);
    const response = (app as { fetch(): Response }).fetch();
    expect(globalThis.Response).toBe(before.Response);
    expect(Object.getPrototypeOf(response)).toBe(before.Response.prototype);
  });

  it('replaces them together for --fast-response, before the app is loaded', async () => {
    writeFileSync(path.join(folder, 'fast.mjs'), source);
    const { app } = await loadApp('fast.mjs', await valuesOf(serverCommand, 'fast.mjs', '--fast-response'), folder);
    const response = (app as { fetch(): Response }).fetch();
    expect(Object.getPrototypeOf(response)).toBe(FastResponse.prototype);
    expect(globalThis.Response).toBe(FastResponse);
    expect(globalThis.Request).not.toBe(before.Request);
    expect(globalThis.fetch).not.toBe(before.fetch);
  });
});
