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
  return { secure: tls !== undefined, alpn: tls?.alpn, epochOffset: clock.wallTime() - clock.now(), random };
}
