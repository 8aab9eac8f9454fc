/**
 * What newer versions of Node have and the oldest one that we support lacks.
 *
 * Owns the feature tests of the client; nothing else asks for a version.
 *
 * @module
 */
import * as zlib from 'node:zlib';
import type { Transform } from 'node:stream';

interface ZstdModule {
  readonly createZstdDecompress?: (options: { readonly params: Readonly<Record<number, number>> }) => Transform;
  readonly constants: { readonly ZSTD_d_windowLogMax?: number };
}

/** Makes a decoder of Zstandard (RFC 8878), or is `undefined` where Node has none (before 22.15). */
export const createZstdDecoder: (() => Transform) | undefined = zstdDecoder(zlib as unknown as ZstdModule);

function zstdDecoder(module: ZstdModule): (() => Transform) | undefined {
  const create = module.createZstdDecompress;
  const parameter = module.constants.ZSTD_d_windowLogMax;
  if (create === undefined || parameter === undefined) return undefined;
  // RFC 9659: a decoder of the content coding zstd need not take windows above 8 MiB, and ours does not.
  return () => create({ params: { [parameter]: 23 } });
}
