import { defineConfig } from 'vitest/config';
import type { ViteUserConfig } from 'vitest/config';

/** Folders that `npm test` runs: they need node and npm, nothing else. */
const kinds = ['unit', 'vectors', 'contract', 'property', 'simulation', 'limits', 'fuzz'];

/** What every project shares. Files run in two processes of their own, as on a machine with two cores. */
const shared = {
  environment: 'node',
  pool: 'forks',
  testTimeout: 30_000,
  hookTimeout: 60_000,
  teardownTimeout: 10_000,
  // A test that asserts nothing is a defect.
  expect: { requireAssertions: true },
} as const;

const config: ViteUserConfig = defineConfig({
  test: {
    maxWorkers: 2,
    reporters: ['default', './tools/vitest-counts.js'],
    projects: [
      {
        test: {
          ...shared,
          name: 'main',
          include: kinds.map((kind) => `test/${kind}/**/*.test.ts`),
        },
      },
      {
        // These look at the built package, so they build it first when it is older than the sources.
        test: {
          ...shared,
          name: 'architecture',
          include: ['test/architecture/**/*.test.ts'],
          globalSetup: ['test/support/build.ts'],
          testTimeout: 180_000,
          hookTimeout: 300_000,
        },
      },
      {
        // Real peers from Debian packages and npm.
        test: {
          ...shared,
          name: 'interop',
          include: ['test/interop/**/*.test.ts'],
          globalSetup: ['test/support/build.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        // By hand: long runs with exposed gc, and fuzzing with the bound that HFACE_LONG lifts.
        test: {
          ...shared,
          name: 'long',
          include: ['test/soak/**/*.test.ts', 'test/fuzz/**/*.test.ts'],
          globalSetup: ['test/support/build.ts'],
          execArgv: ['--expose-gc'],
          env: { HFACE_LONG: '1' },
          testTimeout: 3_600_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});

export default config;
