/**
 * What is found by a text, where entries come and go all the time.
 *
 * Owns a map of places and the array that they are in. A `Map` that holds connections themselves keeps each of them from
 * the quick collection: whenever it has made its table anew, the old one, which is in the old generation, still refers to
 * what was in it, and what it refers to is moved there too. With a handful of ids for each connection that
 * happens every few connections. Numbers are kept by nobody.
 *
 * @module
 */

/** A map from texts. */
export class RouteTable<Value> {
  readonly #places: Map<string, number>;
  readonly #values: (Value | undefined)[];
  /** Places that are empty. */
  readonly #free: number[];

  constructor() {
    this.#places = new Map();
    this.#values = [];
    this.#free = [];
  }

  /** How many entries there are. */
  get size(): number {
    return this.#places.size;
  }

  has(key: string): boolean {
    return this.#places.has(key);
  }

  get(key: string): Value | undefined {
    const place = this.#places.get(key);
    return place === undefined ? undefined : this.#values[place];
  }

  set(key: string, value: Value): void {
    const place = this.#places.get(key) ?? this.#free.pop() ?? this.#values.length;
    this.#values[place] = value;
    this.#places.set(key, place);
  }

  delete(key: string): void {
    const place = this.#places.get(key);
    if (place === undefined) return;
    this.#places.delete(key);
    this.#values[place] = undefined;
    this.#free.push(place);
  }
}
