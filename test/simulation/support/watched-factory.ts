/**
 * HTTP/2 engines that are watched: what they promise to their peers, by the frames on the wire and the calls around
 * them (RFC 9113 section 6.9).
 */
import type { HttpEvent, HttpOverTcpFactory, HttpProtocol, ProtocolContext } from '../../../src/protocols/index.ts';
import { tracedFactory } from '../../../src/protocols/index.ts';
import type { FrameTrace } from '../../../src/protocols/index.ts';

/** What RFC 9113 section 6.9.2 gives every connection at once. */
const FIRST_WINDOW = 65_535;

/** The promises of one connection. */
class Promises {
  /** The connection's window as the peer sees it. */
  window = FIRST_WINDOW;
  /** Delivered and not consumed, by stream. */
  readonly unconsumed: Map<number, number> = new Map();

  /** Octets that this side may have to keep. */
  get outstanding(): number {
    let sum = this.window;
    for (const count of this.unconsumed.values()) sum += count;
    return sum;
  }
}

/**
 * A factory whose engines are checked after every event: windows advertised, less what was consumed, stay within the
 * cap, and no stream's within its own.
 */
export function watchedFactory(
  factory: HttpOverTcpFactory,
  cap: number,
  complain: (fault: string) => void,
): HttpOverTcpFactory {
  const most = Math.max(cap, FIRST_WINDOW);
  const promises = new WeakMap<HttpProtocol, Promises>();
  const of = (protocol: HttpProtocol): Promises => {
    let found = promises.get(protocol);
    if (found === undefined) promises.set(protocol, (found = new Promises()));
    return found;
  };
  const check = (protocol: HttpProtocol): void => {
    const { outstanding } = of(protocol);
    if (outstanding > most) complain(`${protocol.role}: ${String(outstanding)} octets are promised`);
  };
  const traced = tracedFactory(factory, {
    submitted: () => undefined,
    event: (event: HttpEvent, protocol) => {
      const { unconsumed } = of(protocol);
      if (event.type === 'DataReceived') {
        unconsumed.set(event.streamId, (unconsumed.get(event.streamId) ?? 0) + event.flowControlledLength);
      } else if (event.type === 'StreamClosed') unconsumed.delete(event.streamId);
      check(protocol);
    },
    frame: (direction, frame: FrameTrace, protocol) => {
      const one = of(protocol);
      if (direction === 'received' && frame.type === 'DATA') one.window -= frame.length;
      if (direction === 'sent' && frame.type === 'WINDOW_UPDATE' && frame.streamId === 0) {
        one.window += Number(frame.detail.slice(1));
        check(protocol);
      }
    },
  });
  return {
    role: traced.role,
    alpnProtocols: traced.alpnProtocols,
    create: (context: ProtocolContext, now: number) => {
      const protocol = traced.create(context, now);
      const consumed = protocol.dataConsumed.bind(protocol);
      protocol.dataConsumed = (streamId, length) => {
        const { unconsumed } = of(protocol);
        const before = unconsumed.get(streamId);
        if (before !== undefined) unconsumed.set(streamId, before - length);
        consumed(streamId, length);
      };
      return protocol;
    },
  };
}
