/**
 * Opening TCP connections and connections to unix sockets.
 *
 * Owns resolving, the race between addresses, the connect timer and its abort. TLS upon it is in tls-client.ts.
 *
 * Invariant: when the promise settles, no socket, timer or listener of a failed attempt is left.
 *
 * @module
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { bracketHost, ConfigurationError, NetworkError, TimeoutError } from '../common/index.ts';
import type { Clock, IpAddress, SocketAddress } from '../common/index.ts';
import { abortError, Deadline, onAbort, raceAbort, throwIfAborted } from '../concurrency/index.ts';
import type { Dial } from './happy-eyeballs.ts';
import { interleaveFamilies, raceAddresses } from './happy-eyeballs.ts';
import type { ConnectTcpOptions } from './networking.ts';
import type { Resolver } from './resolve.ts';
import { newSocketReader } from './socket-reader.ts';
import type { SocketReader } from './socket-reader.ts';
import { resetSocket, SocketStream } from './socket-stream.ts';
import { systemError } from './system-errors.ts';

/** How long resolving and connecting may take, in milliseconds. */
export const DEFAULT_CONNECT_TIMEOUT = 10_000;

/** What connecting needs of the networking object. */
export interface ConnectContext {
  readonly clock: Clock;
  readonly resolver: Resolver;
  readonly dial: Dial<ConnectedSocket>;
  /** Makes what reads a unix socket; without it its `data` events do. */
  readonly unixReader?: (() => SocketReader | undefined) | undefined;
}

/** A socket that is connected, and to where. */
export interface ConnectedSocket {
  readonly socket: Socket;
  readonly remoteAddress: SocketAddress;
  /** Reads it, in place of its `data` events. */
  readonly reader?: SocketReader | undefined;
}

/** Connects. @throws NetworkError (phase `resolve` or `connect`), TimeoutError (`connect`), or the signal's reason */
export async function connectSocket(context: ConnectContext, options: ConnectTcpOptions): Promise<ConnectedSocket> {
  const { clock } = context;
  const milliseconds = options.connectTimeout ?? DEFAULT_CONNECT_TIMEOUT;
  checkTarget(options);
  throwIfAborted(options.signal);
  const deadline = new Deadline(clock, { timer: 'connect', milliseconds, signal: options.signal });
  try {
    const connected =
      options.unixPath === undefined
        ? await connectHost(context, options, deadline.signal)
        : await connectUnix(options.unixPath, deadline.signal, context.unixReader?.());
    if (options.timings !== undefined) options.timings.connected = clock.now();
    return connected;
  } catch (error) {
    if (deadline.error === undefined || error !== deadline.error) throw error;
    const message = `connecting to ${targetName(options)} took longer than ${String(milliseconds)} ms`;
    throw new TimeoutError('connect', milliseconds, message);
  } finally {
    deadline[Symbol.dispose]();
  }
}

/** The target as messages call it. */
export function targetName(options: ConnectTcpOptions): string {
  if (options.unixPath !== undefined) return `unix:${options.unixPath}`;
  return `${bracketHost(options.target.host)}:${String(options.target.port)}`;
}

/** {@link Dial} by a Node socket, whose `data` events are to be listened to. */
export const dialSocket: Dial<ConnectedSocket> = (address, done) => dial(address, undefined, done);

/** {@link Dial} by a Node socket that is read by a reader of ours where that can be. Nothing may be put upon it. */
export const dialReadSocket: Dial<ConnectedSocket> = (address, done) => dial(address, newSocketReader(), done);

function dial(
  address: IpAddress,
  reader: SocketReader | undefined,
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
    ...(reader === undefined ? {} : { onread: reader }),
  });
  return awaitConnected({ socket, remoteAddress: address, reader }, where, done);
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
  const found = await raceAbort(context.resolver(host, port), signal);
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

function connectUnix(path: string, signal: AbortSignal, reader: SocketReader | undefined): Promise<ConnectedSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true, ...(reader === undefined ? {} : { onread: reader }) });
    const connecting: ConnectedSocket = { socket, remoteAddress: { family: 'unix', path }, reader };
    const cancel = awaitConnected(connecting, `unix:${path}`, (error, connected) => {
      stopListening();
      if (connected !== undefined) resolve(connected);
      else reject(error ?? new NetworkError('cannot connect', { phase: 'connect' }));
    });
    const stopListening = onAbort(signal, (reason) => {
      cancel();
      reject(abortError(reason));
    });
  });
}

/** Calls `done` once the socket is connected or failed; the socket then has no listener of ours but for errors. */
function awaitConnected(
  connecting: ConnectedSocket,
  where: string,
  done: (error: NetworkError | undefined, connected: ConnectedSocket | undefined) => void,
): () => void {
  const { socket } = connecting;
  const onConnect = (): void => {
    socket.off('error', onError);
    SocketStream.watch(socket);
    done(undefined, connecting);
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
    SocketStream.watch(socket);
    resetSocket(socket);
  };
}
