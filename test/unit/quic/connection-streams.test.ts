import { describe, expect, it } from 'vitest';
import { ConnectionPair, seededNumbers } from './connection-pair.ts';

/** Echoes at the server whatever comes. */
function echo(pair: ConnectionPair): void {
  const { onEvent } = pair.options;
  pair.options = {
    ...pair.options,
    onEvent: (self, side, event) => {
      onEvent?.(self, side, event);
      if (side === 'server' && event.type === 'QuicStreamReceived') {
        self.side('server').writeStream(event.streamId, event.data.slice(), event.fin);
      }
    },
  };
}

function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at += 1) bytes[at] = (at * 7 + (at >> 8)) & 0xff;
  return bytes;
}

describe('bytes on streams', () => {
  it('come back as they went (RFC 9000 section 2.2)', () => {
    const pair = new ConnectionPair().connect();
    echo(pair);
    const id = pair.client.openStream(true);
    pair.client.writeStream(id, Buffer.from('hello'), true);
    pair.wait(200);
    expect(pair.bytes('client', id).toString()).toBe('hello');
    expect(pair.finished.client.has(id)).toBe(true);
    expect(pair.only('client', 'QuicStreamClosed')).toEqual([{ type: 'QuicStreamClosed', streamId: id }]);
  });

  it.each([0, 0.05, 0.2])('arrive once and in order, a megabyte each way at a loss of %d', (loss) => {
    const random = seededNumbers(7);
    const pair = new ConnectionPair().connect();
    pair.options = { ...pair.options, drop: () => random() < loss };
    echo(pair);
    const body = pattern(1_000_000);
    const id = pair.client.openStream(true);
    pair.client.writeStream(id, body.subarray(), true);
    pair.run(pair.now + 120_000, () => pair.finished.client.has(id));
    expect(pair.bytes('client', id).equals(body)).toBe(true);
    expect(pair.closed('client')).toBeUndefined();
  });
});
