/**
 * Opening UDP sockets: all of an endpoint's with one port, or none; one towards a peer.
 *
 * Owns port 0 on several addresses, families that the machine lacks, the size of receive buffers, and the messages.
 *
 * Invariant: when a promise rejects, no socket is left open.
 *
 * @module
 */
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { isIP } from 'node:net';
import { bracketHost, ConfigurationError, formatEndpoint, NetworkError } from '../common/index.ts';
import type { Endpoint, HostPort, IpAddress } from '../common/index.ts';
import { abortError, onAbort, raceAbort, throwIfAborted } from '../concurrency/index.ts';
import { interleaveFamilies } from './happy-eyeballs.ts';
import type { BindAddress } from './listen-plan.ts';
import { bindUdpAddresses } from './listen-plan.ts';
import type {
  ConnectUdpOptions,
  FindAddressesOptions,
  ListenUdpOptions,
  UdpSocket,
  UdpSocketHandler,
} from './networking.ts';
import type { Resolver } from './resolve.ts';
import { errnoOf, isAddressMissing, systemError } from './system-errors.ts';
import { SystemUdpSocket } from './udp-socket.ts';
import type { DatagramTurn } from './udp-turn.ts';

/** What UDP needs of the networking object. */
export interface UdpContext {
  readonly resolver: Resolver;
  readonly turn: DatagramTurn;
}

/** What the system is asked to hold for a socket: a burst of a fast peer while this process is busy. */
const RECEIVE_BUFFER = 0x400000;
/** Below this it is not worth asking. */
const LEAST_RECEIVE_BUFFER = 0x10000;
/** How often the system may choose another port when its choice is taken on the second address. */
const PORT_ATTEMPTS = 20;

/** Binds one socket per address of the endpoint. @throws NetworkError (phase `listen`), ConfigurationError */
export async function listenSystemUdp(
  context: UdpContext,
  options: ListenUdpOptions,
  handler: UdpSocketHandler,
): Promise<readonly UdpSocket[]> {
  const { endpoint, receiveBuffer = RECEIVE_BUFFER } = options;
  if (endpoint.unixPath !== undefined) {
    throw new ConfigurationError(`there is no UDP at ${formatEndpoint(endpoint)}`, { hint: 'give a host and a port' });
  }
  if (!Number.isInteger(endpoint.port) || endpoint.port < 0 || endpoint.port > 65_535) {
    throw new ConfigurationError(`${String(endpoint.port)} is no port to listen on`, {
      hint: 'ports go from 0 to 65535',
    });
  }
  const addresses = await bindUdpAddresses(endpoint, context.resolver);
  const sockets = await bindSockets(endpoint, addresses);
  return sockets.map((socket) => {
    enlargeBuffer(socket, receiveBuffer);
    return new SystemUdpSocket(socket, addressOf(socket), undefined, handler, context.turn);
  });
}

/** Opens a socket that hears one peer. @throws NetworkError (phase `connect`), ConfigurationError, or the signal's reason */
export async function connectSystemUdp(
  context: UdpContext,
  options: ConnectUdpOptions,
  handler: UdpSocketHandler,
): Promise<UdpSocket> {
  const { target, signal, receiveBuffer = RECEIVE_BUFFER } = options;
  checkTarget(target);
  throwIfAborted(signal);
  const [address] = await findSystemAddresses(context.resolver, { target, signal });
  const { host, port } = address as IpAddress;
  const socket = newSocket(host);
  try {
    await connect(socket, host, port, signal);
  } catch (error) {
    socket.close();
    if (signal?.aborted === true) throw error;
    throw systemError('connect', `cannot send to ${bracketHost(host)}:${String(port)}`, error);
  }
  enlargeBuffer(socket, receiveBuffer);
  const peer: IpAddress = { family: isIP(host) === 4 ? 'ipv4' : 'ipv6', host, port };
  return new SystemUdpSocket(socket, addressOf(socket), peer, handler, context.turn);
}

/** The addresses of a host in the order of attempts. @throws NetworkError (phase `resolve`), or the signal's reason */
export async function findSystemAddresses(
  resolver: Resolver,
  options: FindAddressesOptions,
): Promise<readonly IpAddress[]> {
  const { target, family, signal } = options;
  checkTarget(target);
  throwIfAborted(signal);
  const resolving = resolver(target.host, target.port);
  const found = signal === undefined ? await resolving : await raceAbort(resolving, signal);
  const wanted = family === undefined ? found : found.filter((address) => address.family === family);
  if (wanted.length > 0) return interleaveFamilies(wanted);
  const words = family === undefined ? 'address' : `${family === 'ipv6' ? 'IPv6' : 'IPv4'} address`;
  throw new NetworkError(`cannot resolve ${target.host}: the name has no ${words}`, {
    code: 'ERR_NAME_NOT_FOUND',
    phase: 'resolve',
  });
}

async function bindSockets(endpoint: Endpoint, addresses: readonly BindAddress[]): Promise<Socket[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await bindOnce(endpoint, addresses);
    } catch (error) {
      const cause = error instanceof NetworkError ? error.cause : undefined;
      const again = endpoint.port === 0 && addresses.length > 1 && errnoOf(cause) === 'EADDRINUSE';
      if (!again || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

async function bindOnce(endpoint: Endpoint, addresses: readonly BindAddress[]): Promise<Socket[]> {
  const sockets: Socket[] = [];
  let missing: NetworkError | undefined;
  let { port } = endpoint;
  for (const address of addresses) {
    const socket = newSocket(address.host);
    try {
      await bind(socket, address.host, port);
      sockets.push(socket);
      if (port === 0) port = socket.address().port;
    } catch (error) {
      socket.close();
      const at = address.host === endpoint.host ? '' : ` (${bracketHost(address.host)}:${String(port)})`;
      const failure = systemError('listen', `cannot listen on UDP at ${formatEndpoint(endpoint)}${at}`, error);
      if (address.optional && isAddressMissing(error)) {
        missing = failure;
        continue;
      }
      for (const open of sockets) open.close();
      throw failure;
    }
  }
  if (sockets.length > 0) return sockets;
  throw missing ?? new NetworkError(`cannot listen on UDP at ${formatEndpoint(endpoint)}`, { phase: 'listen' });
}

/** Addresses are literals here: a look-up of Node's for each datagram would cost a turn each. */
function newSocket(host: string): Socket {
  const ipv6 = host.includes(':');
  return createSocket({
    type: ipv6 ? 'udp6' : 'udp4',
    ...(ipv6 ? { ipv6Only: true } : {}),
    lookup: (address, _options, callback) => callback(null, address, ipv6 ? 6 : 4),
  });
}

function bind(socket: Socket, address: string, port: number): Promise<void> {
  return settled(socket, 'listening', () => void socket.bind({ address, port, exclusive: true }), undefined);
}

function connect(socket: Socket, host: string, port: number, signal: AbortSignal | undefined): Promise<void> {
  return settled(socket, 'connect', () => socket.connect(port, host), signal);
}

function settled(
  socket: Socket,
  event: 'listening' | 'connect',
  start: () => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let stopListening: (() => void) | undefined = undefined;
    const settle = (error: Error | undefined): void => {
      stopListening?.();
      socket.off('error', settle);
      socket.off(event, done);
      if (error === undefined) resolve();
      else reject(error);
    };
    const done = (): void => settle(undefined);
    socket.once('error', settle);
    socket.once(event, done);
    start();
    stopListening = onAbort(signal, (reason) => settle(abortError(reason)));
  });
}

/** A larger buffer is a wish: Linux cuts it down in silence, other systems refuse it. */
function enlargeBuffer(socket: Socket, bytes: number): void {
  for (let size = bytes; size >= LEAST_RECEIVE_BUFFER; size = Math.floor(size / 2)) {
    try {
      socket.setRecvBufferSize(size);
      return;
    } catch {
      // Less, then.
    }
  }
}

function addressOf(socket: Socket): IpAddress {
  const { address, family, port } = socket.address();
  return { family: family === 'IPv6' ? 'ipv6' : 'ipv4', host: address, port };
}

function checkTarget(target: HostPort): void {
  const { host, port } = target;
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new ConfigurationError(`${String(port)} is no port to connect to`, { hint: 'ports go from 1 to 65535' });
  }
  if (host === '' || host.includes('\0')) throw new ConfigurationError(`"${host}" is no host`);
}
