import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HttpEvent, HttpOverTcpProtocol } from '../../src/protocols/index.ts';
import { randomCuts } from '../support/chunkings.ts';
import { takeText } from '../support/connection-pair.ts';
import type { Side } from '../support/http1-sides.ts';
import { clientSide, octets, serverSide } from '../support/http1-sides.ts';

/** Pieces of messages, good and bad, that random texts are made of. */
const PIECES = [
  'GET / HTTP/1.1\r\n',
  'POST /a?b HTTP/1.1\r\n',
  'HEAD http://b.example/ HTTP/1.1\r\n',
  'CONNECT b.example:1 HTTP/1.1\r\n',
  'GET / HTTP/1.0\r\n',
  'GET / HTTP/2.0\r\n',
  'HTTP/1.1 200 OK\r\n',
  'HTTP/1.1 204 \r\n',
  'HTTP/1.1 103 Early Hints\r\n',
  'HTTP/1.0 200 OK\r\n',
  'Host: a\r\n',
  'Content-Length: 5\r\n',
  'Content-Length: 0\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: gzip, chunked\r\n',
  'Connection: close\r\n',
  'Connection: keep-alive\r\n',
  'Connection: upgrade\r\nUpgrade: x\r\n',
  'Expect: 100-continue\r\n',
  'X: y\r\n',
  ' folded\r\n',
  'X : y\r\n',
  '\r\n',
  '\r\n',
  'hello',
  '5\r\nhello\r\n',
  '3;a=b\r\nabc\r\n',
  '0\r\n\r\n',
  '0\r\nX-T: 1\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
  'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  '\r',
  '\n',
  '\u0000',
  '\u00ff',
];

const text: fc.Arbitrary<string> = fc
  .tuple(
    fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 12 }),
    fc.option(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { nil: undefined, freq: 3 }),
  )
  .map(([pieces, mutation]) => {
    const whole = pieces.join('');
    if (mutation === undefined) return whole;
    const at = mutation[0] % whole.length;
    return whole.slice(0, at) + String.fromCharCode(mutation[1]) + whole.slice(at + 1);
  });

/** What an application saw: heads and content without the pieces it came in. */
class Log {
  readonly lines: string[] = [];
  #content = '';

  add(event: HttpEvent): void {
    if (event.type === 'DataReceived') {
      this.#content += Buffer.from(event.data).toString('latin1');
      if (!event.endStream) return;
      this.flush();
      this.lines.push(`${String(event.streamId)} end`);
      return;
    }
    this.flush();
    if (event.type === 'HeadersReceived') {
      this.lines.push(`${String(event.streamId)} head ${JSON.stringify(event.headers)} ${String(event.endStream)}`);
    } else if (event.type === 'TrailersReceived' || event.type === 'InformationalReceived') {
      this.lines.push(`${String(event.streamId)} ${event.type} ${JSON.stringify(event.headers)}`);
    } else {
      this.lines.push(event.type);
    }
  }

  flush(): void {
    if (this.#content !== '') this.lines.push(`content ${this.#content}`);
    this.#content = '';
  }
}

function logOf(
  side: Side,
  chunks: readonly Uint8Array[],
  react: (protocol: HttpOverTcpProtocol, event: HttpEvent) => void,
): string[] {
  const { protocol } = side;
  const log = new Log();
  const pull = (): void => {
    for (let event = protocol.nextEvent(); event !== undefined; event = protocol.nextEvent()) {
      log.add(event);
      react(protocol, event);
    }
  };
  for (const chunk of chunks) {
    protocol.bytesReceived(chunk, 0);
    pull();
  }
  protocol.eofReceived(0);
  pull();
  log.flush();
  return log.lines;
}

/** A server application that answers each request when it is whole. */
function answer(protocol: HttpOverTcpProtocol, event: HttpEvent): void {
  if (!('streamId' in event)) return;
  if (event.type === 'DataReceived') protocol.dataConsumed(event.streamId, event.flowControlledLength);
  const connect = event.type === 'HeadersReceived' && event.headers[1] === 'CONNECT';
  const whole = 'endStream' in event && event.endStream;
  if (!whole && !connect) return;
  protocol.submitHeaders(event.streamId, [':status', connect ? '403' : '204'], { endStream: true });
  protocol.submitHandlerEnd(event.streamId);
}

describe('however bytes are cut, the result is the same', () => {
  it('for a server', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 1000 }), (input, seed) => {
        const bytes = octets(input);
        const results = [
          [bytes.slice()],
          Array.from(bytes, (octet) => Uint8Array.of(octet)),
          randomCuts(bytes, seed),
        ].map((chunks) => {
          const side = serverSide();
          const log = logOf(side, chunks, answer);
          // Where several things are wrong, which is told first may depend on what was there first.
          const statuses = takeText(side.protocol).match(/^HTTP\/1.1 \d/gm) ?? [];
          return { log, statuses: statuses.map((status) => (status.endsWith('2') ? 'answered' : 'refused')) };
        });
        expect(results[1]).toEqual(results[0]);
        expect(results[2]).toEqual(results[0]);
      }),
      { numRuns: 1500 },
    );
  });

  it('for a client', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 1000 }), (input, seed) => {
        const bytes = octets(input);
        const results = [
          [bytes.slice()],
          Array.from(bytes, (octet) => Uint8Array.of(octet)),
          randomCuts(bytes, seed),
        ].map((chunks) => {
          const side = clientSide({ maxPipelinedRequests: 3 });
          for (const method of ['GET', 'HEAD', 'GET']) side.request(method);
          side.sent();
          return logOf(side, chunks, (protocol, event) => {
            if (event.type === 'DataReceived') protocol.dataConsumed(event.streamId, event.flowControlledLength);
          });
        });
        expect(results[1]).toEqual(results[0]);
        expect(results[2]).toEqual(results[0]);
      }),
      { numRuns: 1500 },
    );
  });
});

describe('any bytes whatever', () => {
  it('end in events, never in a throw, and are refused or wait', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { maxLength: 10 }), (chunks) => {
        for (const side of [serverSide(), clientSide()]) {
          const log = logOf(side, chunks, () => {});
          expect(log.filter((line) => line === 'ConnectionTerminated').length).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
