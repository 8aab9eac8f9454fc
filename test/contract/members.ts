/**
 * Members of an engine's interface, shown: two different results of each, or the refusal that its documentation promises.
 *
 * Owns how a table of them is played, and what the tables of all versions have alike.
 *
 * @module
 */
import { describe, expect, it } from 'vitest';
import type { EnginePair } from './engine-pair.ts';
import { connect, get, post } from './engine-pair.ts';

/** Two different results. */
export interface Shown {
  readonly one: (pair: EnginePair) => unknown;
  readonly other: (pair: EnginePair) => unknown;
  /** What the two are; they differ. */
  readonly results: readonly [one: unknown, other: unknown];
}

/** What an engine has not, or what has nothing to show there: it refuses, or does nothing. */
export interface Refused {
  readonly refused: (pair: EnginePair) => unknown;
}

/** A request whose response has begun. */
export function served(pair: EnginePair): number {
  const streamId = pair.request(post(), false);
  pair.server.engine.submitHeaders(streamId, [':status', '200'], { endStream: false });
  return streamId;
}

/** A tunnel that is open. */
export function tunnel(pair: EnginePair): number {
  const streamId = pair.request(connect(), false);
  pair.server.engine.submitHeaders(streamId, [':status', '200'], { endStream: false });
  pair.run();
  return streamId;
}

/** Members that every version shows by the same. */
export const messageMembers: { readonly submitHeaders: Shown; readonly submitInformational: Shown } = {
  submitHeaders: {
    one: (pair) => {
      pair.request(get('/one'));
      return pair.server.only('HeadersReceived').headers[7];
    },
    other: (pair) => {
      pair.request(get('/other', ['x', 'y']));
      return pair.server.only('HeadersReceived').headers.slice(7);
    },
    results: ['/one', ['/other', 'x', 'y']],
  },
  submitInformational: {
    one: (pair) => {
      pair.server.engine.submitInformational(pair.request(), [':status', '103', 'link', '<a>']);
      pair.run();
      return pair.client.only('InformationalReceived').headers;
    },
    other: (pair) => {
      pair.server.engine.submitInformational(pair.request(post(['expect', '100-continue']), false), [':status', '100']);
      pair.run();
      return pair.client.only('InformationalReceived').headers;
    },
    results: [
      [':status', '103', 'link', '<a>'],
      [':status', '100'],
    ],
  },
};

/** Plays a table, each result on a pair of its own. */
export function playMembers(
  title: string,
  members: Readonly<Record<string, Shown | Refused>>,
  newPair: () => EnginePair,
): void {
  const table = Object.entries(members);
  describe(title, () => {
    it.each(table.flatMap(([name, entry]) => ('refused' in entry ? [[name, entry] as const] : [])))(
      '%s is refused as documented, and the connection goes on',
      (_name, entry) => {
        const pair = newPair();
        entry.refused(pair);
        pair.server.pull();
        expect(pair.server.types).not.toContain('ConnectionTerminated');
      },
    );

    it.each(table.flatMap(([name, entry]) => ('refused' in entry ? [] : [[name, entry] as const])))(
      '%s has two different results',
      (_name, entry) => {
        expect(entry.results[0]).not.toEqual(entry.results[1]);
        expect(entry.one(newPair())).toEqual(entry.results[0]);
        expect(entry.other(newPair())).toEqual(entry.results[1]);
      },
    );
  });
}
