/**
 * Where the fields that an encoder sends again and again stand in its table.
 *
 * One message is much like the one before: the same fields in the same places. So the index that the field at a place
 * had is kept with its name and value, and is right for as long as the field and the table stay what they were. This
 * saves most look-ups, and decides nothing.
 *
 * @module
 */

/** How many places of a list are looked at. */
const PLACES = 16;

/** The fields of the list before. */
export class RecentFields {
  readonly #names: string[];
  readonly #values: string[];
  readonly #indexes: number[];
  readonly #versions: number[];

  constructor() {
    this.#names = [];
    this.#values = [];
    this.#indexes = [];
    this.#versions = [];
  }

  /** The index of a field that stood at this place of the list before, 0 if it did not or the table has changed. */
  index(place: number, name: string, value: string, version: number): number {
    if (this.#versions[place] !== version || this.#names[place] !== name || this.#values[place] !== value) return 0;
    return this.#indexes[place] as number;
  }

  /** Notes the index of a field. */
  note(place: number, name: string, value: string, version: number, index: number): void {
    if (place >= PLACES) return;
    this.#names[place] = name;
    this.#values[place] = value;
    this.#indexes[place] = index;
    this.#versions[place] = version;
  }
}
