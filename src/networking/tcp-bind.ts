/**
 * Binding: the sockets of a listener on all the addresses of its endpoint, with one port, or none at all.
 *
 * Owns port 0 on several addresses (the second address gets the port that the system chose for the first; where that
 * is taken everything is tried again), families that the machine lacks, stale files of unix sockets, and the messages.
 *
 * Invariant: when the promise rejects, no socket is left open and no file behind.
 *
 * @module
 */
import { lstat, stat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import type { ListenOptions, Server } from 'node:net';
import { dirname } from 'node:path';
import { bracketHost, ConfigurationError, formatEndpoint, NetworkError } from '../common/index.ts';
import type { Endpoint } from '../common/index.ts';
import type { BindAddress } from './listen-plan.ts';
import { hasReusePort, isWindows, longestUnixPath } from './platform.ts';
import { errnoOf, isAddressMissing, systemError } from './system-errors.ts';

/** How the sockets are bound. */
export interface BindOptions {
  readonly endpoint: Endpoint;
  readonly backlog: number;
  readonly reusePort: boolean;
  /** Makes a server that does not listen yet. */
  readonly createServer: () => Server;
}

/** How often the system may choose another port when its choice is taken on the second address. */
const PORT_ATTEMPTS = 20;

/** Listens on every address. @throws NetworkError (phase `listen`), ConfigurationError */
export async function bindAll(options: BindOptions, addresses: readonly BindAddress[]): Promise<Server[]> {
  if (options.reusePort && !hasReusePort) {
    throw new ConfigurationError('reusePort needs Node 22.12 or later on a system that has it', {
      hint: 'leave reusePort out, or start one process only',
    });
  }
  const { port } = options.endpoint;
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new ConfigurationError(`${String(port)} is no port to listen on`, { hint: 'ports go from 0 to 65535' });
  }
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await bindOnce(options, addresses);
    } catch (error) {
      const again = port === 0 && addresses.length > 1 && errnoOf(causeOf(error)) === 'EADDRINUSE';
      if (!again || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

/** Listens on a unix socket or a Windows pipe. @throws NetworkError (phase `listen`), ConfigurationError */
export async function bindUnix(options: BindOptions, path: string): Promise<Server> {
  if (path === '' || path.includes('\0')) throw new ConfigurationError(`"${path}" is no path of a socket`);
  if (Buffer.byteLength(path) > longestUnixPath) {
    throw new ConfigurationError(`the path of the socket is longer than ${String(longestUnixPath)} bytes: ${path}`, {
      hint: 'choose a shorter path',
    });
  }
  const listenOptions: ListenOptions = { path, backlog: options.backlog };
  const doing = `cannot listen on ${formatEndpoint(options.endpoint)}`;
  try {
    return await listen(options.createServer(), listenOptions);
  } catch (error) {
    if (isWindows || errnoOf(error) !== 'EADDRINUSE' || !(await removeStaleSocket(path))) {
      throw systemError('listen', doing, await unixBindError(path, error));
    }
  }
  try {
    return await listen(options.createServer(), listenOptions);
  } catch (error) {
    throw systemError('listen', doing, error);
  }
}

/** libuv says EACCES also where the folder is missing. */
async function unixBindError(path: string, error: unknown): Promise<unknown> {
  if (isWindows || errnoOf(error) !== 'EACCES') return error;
  return stat(dirname(path)).then(
    () => error,
    (missing: unknown) => missing,
  );
}

async function bindOnce(options: BindOptions, addresses: readonly BindAddress[]): Promise<Server[]> {
  const servers: Server[] = [];
  let missing: NetworkError | undefined;
  let { port } = options.endpoint;
  for (const address of addresses) {
    try {
      const server = await bindOne(options, address, port);
      servers.push(server);
      if (port === 0) port = portOf(server);
    } catch (error) {
      const failure = listenError(options.endpoint, address, port, error);
      if (address.optional && isAddressMissing(error)) {
        missing = failure;
        continue;
      }
      await closeAll(servers);
      throw failure;
    }
  }
  if (servers.length > 0) return servers;
  throw missing ?? listenError(options.endpoint, { host: options.endpoint.host, optional: false }, port, undefined);
}

async function bindOne(options: BindOptions, address: BindAddress, port: number): Promise<Server> {
  // `reusePort` came after the types of Node 20.
  const listenOptions: ListenOptions & { reusePort?: boolean } = {
    host: address.host,
    port,
    backlog: options.backlog,
    exclusive: options.reusePort,
  };
  if (options.reusePort) listenOptions.reusePort = true;
  try {
    return await listen(options.createServer(), listenOptions);
  } catch (error) {
    if (address.host !== '::' || !address.optional || !isAddressMissing(error)) throw error;
    return listen(options.createServer(), { ...listenOptions, host: '0.0.0.0' });
  }
}

function listen(server: Server, options: ListenOptions): Promise<Server> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => {
      server.off('listening', onListening);
      reject(error);
    };
    const onListening = (): void => {
      server.off('error', onError);
      resolve(server);
    };
    server.once('error', onError);
    server.once('listening', onListening);
    server.listen(options);
  });
}

/** Closes listening sockets; accepted connections live on, so this waits for none of them. */
export async function closeAll(servers: readonly Server[]): Promise<void> {
  for (const server of servers) if (server.listening) server.close();
  // The descriptors are closed by now. The handles leave the event loop in its closing phase, after the first immediate.
  await new Promise<void>((resolve) => {
    setImmediate(() => setImmediate(resolve));
  });
}

/**
 * Removes the file of a unix socket on which nobody listens any more, as a killed process leaves it.
 *
 * @returns whether the file is gone. A file that is no socket is never touched.
 */
async function removeStaleSocket(path: string): Promise<boolean> {
  try {
    if (!(await lstat(path)).isSocket()) return false;
    if (!(await refusesConnections(path))) return false;
    await unlink(path);
    return true;
  } catch (error) {
    return errnoOf(error) === 'ENOENT';
  }
}

function refusesConnections(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', (error) => resolve(errnoOf(error) === 'ECONNREFUSED'));
  });
}

function portOf(server: Server): number {
  const address = server.address();
  return address === null || typeof address === 'string' ? 0 : address.port;
}

function listenError(endpoint: Endpoint, address: BindAddress, port: number, error: unknown): NetworkError {
  const at = address.host === endpoint.host ? '' : ` (${bracketHost(address.host)}:${String(port)})`;
  return systemError('listen', `cannot listen on ${formatEndpoint(endpoint)}${at}`, error);
}

function causeOf(error: unknown): unknown {
  return error instanceof NetworkError ? error.cause : undefined;
}
