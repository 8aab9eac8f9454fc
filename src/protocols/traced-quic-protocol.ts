/**
 * An engine over QUIC that tells what passes through it.
 *
 * Owns the wrapper's side towards the network and the factory around a factory. Packets and frames are not told: the
 * logs of a connection (`qlog`) have them.
 *
 * @module
 */
import type { NetworkPath } from '../common/index.ts';
import type { HttpOverQuicClientFactory, HttpOverQuicServerFactory } from './factories.ts';
import type { Datagram, HttpOverQuicProtocol } from './http-protocol.ts';
import { TracedEngine } from './traced-engine.ts';
import type { TraceHandler } from './traced-engine.ts';

/** A factory whose engines over QUIC tell what passes through them. */
export function tracedQuicFactory(factory: HttpOverQuicClientFactory, handler: TraceHandler): HttpOverQuicClientFactory;
/** The same for the server's side. */
export function tracedQuicFactory(factory: HttpOverQuicServerFactory, handler: TraceHandler): HttpOverQuicServerFactory;
export function tracedQuicFactory(
  factory: HttpOverQuicClientFactory | HttpOverQuicServerFactory,
  handler: TraceHandler,
): HttpOverQuicClientFactory | HttpOverQuicServerFactory {
  return {
    role: factory.role,
    alpnProtocols: factory.alpnProtocols,
    create: (transport, context, now) => new TracedQuicProtocol(factory.create(transport, context, now), handler),
  };
}

/** An engine over QUIC inside another that tells. */
export class TracedQuicProtocol extends TracedEngine<HttpOverQuicProtocol> implements HttpOverQuicProtocol {
  datagramReceived(data: Uint8Array, path: NetworkPath, now: number): void {
    this.inner.datagramReceived(data, path, now);
  }
  datagramsToSend(now: number, max: number): Datagram[] {
    return this.inner.datagramsToSend(now, max);
  }
}
