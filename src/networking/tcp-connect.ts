/**
 * Opening TCP connections and connections to unix sockets.
 *
 * Owns resolving, the race between addresses, the connect timer and its abort. TLS upon it is in tls-connect.ts.
 *
 * Invariant: when the promise settles, no socket, timer or listener of a failed attempt is left.
 *
 * @module
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { bracketHost, ConfigurationError, NetworkError, TimeoutError } from '../common/index.ts';
import type { Clock, IpAddress, SocketAddress } from '../common/index.ts';
import type { Dial } from './happy-eyeballs.ts';
import { interleaveFamilies, raceAddresses } from './happy-eyeballs.ts';
import type { ConnectTcpOptions } from './networking.ts';
import type { Resolver } from './resolve.ts';
import { resetSocket } from './socket-stream.ts';
import { systemError } from './system-errors.ts';

/** How long resolving and connecting may take, in milliseconds. */
export const DEFAULT_CONNECT_TIMEOUT = 10_000;

/** What connecting needs of the networking object. */
export interface ConnectContext {
  readonly clock: Clock;
  readonly resolver: Resolver;
  readonly dial: Dial<ConnectedSocket>;
}

/** A socket that is connected, and to where. */
export interface ConnectedSocket {
  readonly socket: Socket;
  readonly remoteAddress: SocketAddress;
}

/** Connects. @throws NetworkError (phase `resolve` or `connect`), TimeoutError (`connect`), or the signal's reason */
export async function connectSocket(context: ConnectContext, options: ConnectTcpOptions): Promise<ConnectedSocket> {
  const { clock } = context;
  const limit = options.connectTimeout ?? DEFAULT_CONNECT_TIMEOUT;
  checkTarget(options);
  const ending = new AbortController();
  const onAbort = (): void => ending.abort(options.signal?.reason);
  if (options.signal?.aborted === true) throw options.signal.reason;
  options.signal?.addEventListener('abort', onAbort, { once: true });
  const timer =
    limit === Infinity
      ? undefined
      : clock.schedule(clock.now() + limit, () => {
          const message = `connecting to ${targetName(options)} took longer than ${String(limit)} ms`;
          ending.abort(new TimeoutError('connect', limit, message));
        });
  try {
    const connected =
      options.unixPath === undefined
        ? await connectHost(context, options, ending.signal)
        : await connectUnix(options.unixPath, ending.signal);
    if (options.timings !== undefined) options.timings.connected = clock.now();
    return connected;
  } finally {
    timer?.cancel();
    options.signal?.removeEventListener('abort', onAbort);
  }
}

/** The target as messages call it. */
export function targetName(options: ConnectTcpOptions): string {
  if (options.unixPath !== undefined) return `unix:${options.unixPath}`;
  return `${bracketHost(options.target.host)}:${String(options.target.port)}`;
}

/** {@link Dial} by a Node socket. */
export function dialSocket(
  address: IpAddress,
  done: (error: NetworkError | undefined, connected: ConnectedSocket | undefined) => void,
): () => void {
  const where = `${bracketHost(address.host)}:${String(address.port)}`;
  const socket = connect({
    host: address.host,
    port: address.port,
    family: address.family === 'ipv6' ? 6 : 4,
    allowHalfOpen: true,
    noDelay: true,
    autoSelectFamily: false,
  });
  return awaitConnected(socket, where, address, done);
}

/** Refuses what a Node socket would throw at, so that dialling cannot throw. */
function checkTarget(options: ConnectTcpOptions): void {
  const { unixPath, target } = options;
  if (unixPath !== undefined) {
    if (unixPath === '' || unixPath.includes('\0'))
      throw new ConfigurationError(`"${unixPath}" is no path of a socket`);
    return;
  }
  if (!Number.isInteger(target.port) || target.port < 1 || target.port > 65_535) {
    throw new ConfigurationError(`${String(target.port)} is no port to connect to`, {
      hint: 'ports go from 1 to 65535',
    });
  }
  if (target.host === '' || target.host.includes('\0')) throw new ConfigurationError(`"${target.host}" is no host`);
}

async function connectHost(
  context: ConnectContext,
  options: ConnectTcpOptions,
  signal: AbortSignal,
): Promise<ConnectedSocket> {
  const { host, port } = options.target;
  const found = await abortable(context.resolver(host, port), signal);
  if (options.timings !== undefined) options.timings.resolved = context.clock.now();
  const { family } = options;
  const addresses = family === undefined ? found : found.filter((address) => address.family === family);
  if (addresses.length === 0) {
    throw new NetworkError(`cannot resolve ${host}: the name has no ${family === 'ipv6' ? 'IPv6' : 'IPv4'} address`, {
      code: 'ERR_NAME_NOT_FOUND',
      phase: 'resolve',
    });
  }
  return raceAddresses({
    addresses: interleaveFamilies(addresses),
    dial: context.dial,
    clock: context.clock,
    signal,
    target: targetName(options),
  });
}

function connectUnix(path: string, signal: AbortSignal): Promise<ConnectedSocket> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const socket = connect({ path, allowHalfOpen: true });
    const cancel = awaitConnected(socket, `unix:${path}`, { family: 'unix', path }, (error, connected) => {
      signal.removeEventListener('abort', onAbort);
      if (connected === undefined) reject(error);
      else resolve(connected);
    });
    const onAbort = (): void => {
      cancel();
      reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** Calls `done` once the socket is connected or failed; the socket then has no listener of ours but for errors. */
function awaitConnected(
  socket: Socket,
  where: string,
  remoteAddress: SocketAddress,
  done: (error: NetworkError | undefined, connected: ConnectedSocket | undefined) => void,
): () => void {
  const onConnect = (): void => {
    socket.off('error', onError);
    socket.on('error', ignore);
    done(undefined, { socket, remoteAddress });
  };
  const onError = (error: Error): void => {
    socket.off('connect', onConnect);
    done(systemError('connect', `cannot connect to ${where}`, error), undefined);
  };
  socket.once('connect', onConnect);
  socket.once('error', onError);
  return () => {
    socket.off('connect', onConnect);
    socket.off('error', onError);
    socket.on('error', ignore);
    resetSocket(socket);
  };
}

/** The promise, or the signal's reason as soon as it is aborted; what the promise brings later is dropped. */
export function abortable<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) {
      promise.catch(ignore);
      onAbort();
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    promise.finally(() => signal.removeEventListener('abort', onAbort)).then(resolve, reject);
  });
}

function ignore(): void {}
