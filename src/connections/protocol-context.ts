/**
 * What an engine is told of its surroundings.
 *
 * @module
 */
import type { TlsFacts } from '../common/index.ts';
import type { NetworkingBase } from '../networking/index.ts';
import type { ProtocolContext } from '../protocols/index.ts';

/** The context of an engine on a stream with these facts. */
export function protocolContext(networking: NetworkingBase, tls: TlsFacts | undefined): ProtocolContext {
  const { clock, random } = networking;
  const secure = tls !== undefined;
  const alpn = tls?.alpn;
  const epochOffset = clock.wallTime() - clock.now();
  const last = lastContexts.get(networking);
  if (last?.secure === secure && last.alpn === alpn && Math.abs(last.epochOffset - epochOffset) < SAME_TIME)
    return last;
  const context: ProtocolContext = { secure, alpn, epochOffset, random };
  lastContexts.set(networking, context);
  return context;
}

/** Of the connection before: that of the next is mostly the same, and each is held as long as its connection. */
const lastContexts = new WeakMap<NetworkingBase, ProtocolContext>();
/** Of what is told in seconds, in milliseconds. */
const SAME_TIME = 10;
