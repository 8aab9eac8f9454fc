/**
 * tools/layers.json as the architecture tests read it.
 *
 * @module
 */
import { read } from '../support/repository.ts';

/** A row of the import table; the keys are explained in the file itself. */
export interface LayerRow {
  readonly folder: string;
  readonly imports: readonly string[];
  readonly types?: readonly string[];
  readonly indexOnly?: boolean;
  readonly node: true | readonly string[];
  readonly packages?: readonly string[];
  readonly sansIo?: boolean;
  readonly buffer?: boolean;
}

/** Names that some files must do without. */
export interface Ban {
  readonly globals: readonly string[];
  readonly members: readonly string[];
}

/** The whole file. */
export interface Layers {
  readonly rows: readonly LayerRow[];
  readonly systemClock: readonly string[];
  readonly platformReaders: readonly string[];
  readonly bannedEverywhere: Ban;
  readonly bannedSansIo: Ban;
}

/** The import table and the bans. */
export const layers: Layers = JSON.parse(read('tools/layers.json')) as Layers;

/** The row with the longest folder that contains a file. */
export function rowOf(file: string): LayerRow | undefined {
  return layers.rows
    .filter((row) => file.startsWith(`${row.folder}/`))
    .reduce<LayerRow | undefined>(
      (best, row) => (best && best.folder.length > row.folder.length ? best : row),
      undefined,
    );
}
