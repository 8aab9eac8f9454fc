/**
 * TCP and TLS (UDP with HTTP/3) as small interfaces, by sockets or in a simulation.
 *
 * @module
 */
export { AsyncByteStream, duplexView } from './byte-stream-views.ts';
export type * from './byte-stream.ts';
export type * from './networking.ts';
export { interleaveFamilies, raceAddresses } from './happy-eyeballs.ts';
export type { Dial, RaceOptions } from './happy-eyeballs.ts';
export { systemResolver } from './resolve.ts';
export type { Resolver } from './resolve.ts';
export type { SocketReader } from './socket-reader.ts';
export { SystemSockets } from './socket-source.ts';
export type {
  OpenSockets,
  OpenSocketsOptions,
  SocketReceiver,
  SocketSource,
  SystemSocketsOptions,
} from './socket-source.ts';
export { SystemClock } from './system-clock.ts';
export { SystemNetworking } from './system-networking.ts';
export type { SystemNetworkingOptions } from './system-networking.ts';
export { SystemRandom } from './system-random.ts';
export type { ConnectedSocket } from './tcp-connect.ts';
