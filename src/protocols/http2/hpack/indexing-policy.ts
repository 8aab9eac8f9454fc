/**
 * Which fields the encoder puts into the dynamic table, and which never (RFC 7541 section 7.1).
 *
 * Who can make a peer send fields of his own beside another's secret, and sees the sizes, can try whole values: a guess
 * that is right is one octet long (section 7.1.1). So what is a secret and might be guessed is a literal that nobody on
 * the way may index either (section 7.1.3). Long cookies are left out of this: whole values of their length are not to
 * be guessed, and they are most of what there is to save.
 *
 * Owns: what is done with which name. Does not own the table, nor which names are secrets (wire/secret-fields.ts).
 *
 * @module
 */
import { SECRET_FIELDS } from '../../../wire/index.ts';

/** What the encoder does with a field. */
export const Indexing = {
  /** Puts it into the table when it is first seen. */
  always: 0,
  /** Puts it into the table when the same value comes twice in a row: mostly each value is new. */
  repeated: 1,
  /** Sends it as a never-indexed literal. */
  never: 2,
  /** As `never` if it is short, as `always` if not. */
  long: 3,
} as const;

/** One of {@link Indexing}. */
export type IndexingKind = (typeof Indexing)[keyof typeof Indexing];

const POLICIES: ReadonlyMap<string, IndexingKind> = new Map<string, IndexingKind>([
  ...kind(Indexing.never, [...SECRET_FIELDS]),
  ...kind(Indexing.long, ['cookie']),
  ...kind(Indexing.repeated, [
    ':path',
    'age',
    'content-length',
    'content-range',
    'etag',
    'if-modified-since',
    'if-none-match',
    'last-modified',
    'location',
    'range',
    'traceparent',
    'x-request-id',
  ]),
]);

/** What the encoder does with fields of this name. */
export function indexingOf(name: string): IndexingKind {
  return POLICIES.get(name) ?? Indexing.always;
}

function kind(policy: IndexingKind, names: readonly string[]): [string, IndexingKind][] {
  return names.map((name) => [name, policy]);
}
