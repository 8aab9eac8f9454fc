/**
 * Where connections go: `--resolve`, `--connect-to`, `-4`, `-6`, `--unix-socket`, `--connect-timeout`.
 *
 * Owns the syntax of the options, curl's. The certificate is always checked for the URL's host.
 *
 * @module
 */
import { isIP } from 'node:net';
import path from 'node:path';
import type { ClientNetworking, ClientOptions } from '../../src/client/index.ts';
import type { Clock, HostPort, Random } from '../../src/common/index.ts';
import { TimeoutError } from '../../src/common/index.ts';
import { Deadline } from '../../src/concurrency/index.ts';
import { SystemNetworking, systemResolver } from '../../src/networking/index.ts';
import type { Resolver } from '../../src/networking/index.ts';
import type { OptionValues } from '../option-values.ts';
import { CommandError, usageError } from '../report.ts';
import { exitCode } from './exit-codes.ts';

/** What the options ask for. */
export interface ConnectChoice {
  readonly client: Pick<ClientOptions, 'connectTo' | 'family' | 'unixSocket'>;
  /** `undefined`: the system's. */
  readonly resolver: Resolver | undefined;
  /** Milliseconds for name, TCP and TLS together. */
  readonly timeout: number;
}

/** Reads the options. @throws CommandError, ConfigurationError */
export function readConnectOptions(values: OptionValues, directory: string): ConnectChoice {
  const unixSocket = values.text('unix-socket');
  const seconds = values.number('connect-timeout', 0, MAX_SECONDS);
  if (values.has('ipv4') && values.has('ipv6')) throw usageError('-4 and -6 exclude each other', 'one of the two');
  const moves = values.list('connect-to').flatMap(readMove);
  const resolve = values.list('resolve').map(readResolve);
  return {
    client: {
      family: values.has('ipv4') ? 'ipv4' : values.has('ipv6') ? 'ipv6' : undefined,
      unixSocket: unixSocket === undefined ? undefined : path.resolve(directory, unixSocket),
      connectTo: moves.length === 0 ? undefined : (target) => moved(target, moves),
    },
    resolver: resolve.length === 0 ? undefined : resolverOf(resolve),
    timeout: seconds === undefined || seconds === 0 ? DEFAULT_TIMEOUT : seconds * 1000,
  };
}

/** Networking that does as was asked. */
export function connectNetworking(
  networking: ClientNetworking | undefined,
  ordinary: () => ClientNetworking,
  choice: ConnectChoice,
): ClientNetworking {
  const base =
    networking ?? (choice.resolver === undefined ? ordinary() : new SystemNetworking({ resolver: choice.resolver }));
  return new BoundedNetworking(base, choice.timeout);
}

/** `HOST:PORT` and what replaces it; `undefined` stands for any, and for the same. */
interface Move {
  readonly from: Partial<HostPort>;
  readonly to: Partial<HostPort>;
}

/** `HOST1:PORT1:HOST2:PORT2`, each of which may be empty. */
function readMove(text: string): Move[] {
  const match = /^(\[[^\]]*\]|[^:[\]]*):(\d{0,5}):(\[[^\]]*\]|[^:[\]]*):(\d{0,5})$/.exec(text);
  if (match === null) throw usageError(`--connect-to "${text}" is none`, '--connect-to HOST:PORT:HOST:PORT');
  const [, fromHost, fromPort, toHost, toPort] = match;
  const move = { from: hostPort(fromHost, fromPort), to: hostPort(toHost, toPort) };
  return move.to.host === undefined && move.to.port === undefined ? [] : [move];
}

function hostPort(host: string | undefined, port: string | undefined): Partial<HostPort> {
  const number = Number(port);
  if (number > 65_535) throw usageError(`${String(number)} is no port`, 'from 1 to 65535');
  return {
    ...(host === undefined || host === '' ? {} : { host: host.replace(/^\[|\]$/g, '').toLowerCase() }),
    ...(number === 0 ? {} : { port: number }),
  };
}

/** The first that fits counts. */
function moved(target: HostPort, moves: readonly Move[]): HostPort | undefined {
  const move = moves.find(
    ({ from }) =>
      (from.host === undefined || from.host === target.host.toLowerCase()) &&
      (from.port === undefined || from.port === target.port),
  );
  return move === undefined ? undefined : { host: move.to.host ?? target.host, port: move.to.port ?? target.port };
}

/** Addresses of a host at a port. */
interface Resolved {
  /** Lowercase, or `*`. */
  readonly host: string;
  readonly port: number;
  /** Empty: as the system says after all. */
  readonly addresses: readonly string[];
}

/** `[+]HOST:PORT:ADDRESS[,ADDRESS]…`, `-HOST:PORT` takes an earlier one back. */
function readResolve(text: string): Resolved {
  const back = /^-(\[[^\]]+\]|[^:[\]]+):(\d{1,5})$/.exec(text);
  const match = back ?? /^\+?(\[[^\]]+\]|[^:[\]]+):(\d{1,5}):(.+)$/.exec(text);
  const [, host = '', port, list = ''] = match ?? [];
  const addresses = back === null ? list.split(',').map((address) => address.replace(/^\[|\]$/g, '')) : [];
  if (match === null || Number(port) > 65_535 || addresses.some((address) => isIP(address) === 0)) {
    const cause = `--resolve "${text}" is none`;
    const next = '--resolve HOST:PORT:ADDRESS';
    throw new CommandError({ cause, place: undefined, next }, exitCode.badOption);
  }
  return { host: host.replace(/^\[|\]$/g, '').toLowerCase(), port: Number(port), addresses };
}

function resolverOf(entries: readonly Resolved[]): Resolver {
  // The last one counts, and a name before the star.
  const latest = [...entries].reverse();
  return async (host, port) => {
    const name = host.toLowerCase();
    const found =
      latest.find((entry) => entry.host === name && entry.port === port) ??
      latest.find((entry) => entry.host === '*' && entry.port === port);
    if (found === undefined || found.addresses.length === 0) return systemResolver(host, port);
    return found.addresses.map((address) => ({
      family: isIP(address) === 6 ? ('ipv6' as const) : ('ipv4' as const),
      host: address,
      port,
    }));
  };
}

/** Networking with one deadline for name, TCP and TLS, as curl counts it. */
class BoundedNetworking implements ClientNetworking {
  readonly #networking: ClientNetworking;
  readonly #milliseconds: number;
  readonly findAddresses?: NonNullable<ClientNetworking['findAddresses']>;
  readonly connectUdp?: NonNullable<ClientNetworking['connectUdp']>;
  readonly serverChains?: NonNullable<ClientNetworking['serverChains']>;

  constructor(networking: ClientNetworking, milliseconds: number) {
    this.#networking = networking;
    this.#milliseconds = milliseconds;
    const { findAddresses, connectUdp, serverChains } = networking;
    if (findAddresses === undefined || connectUdp === undefined || serverChains === undefined) return;
    this.findAddresses = (options) => findAddresses.call(networking, options);
    this.connectUdp = (options, handler) => connectUdp.call(networking, options, handler);
    this.serverChains = (tls) => serverChains.call(networking, tls);
  }

  get clock(): Clock {
    return this.#networking.clock;
  }

  get random(): Random {
    return this.#networking.random;
  }

  connectTcp(options: Parameters<ClientNetworking['connectTcp']>[0]): ReturnType<ClientNetworking['connectTcp']> {
    return this.#bounded(options, (bounded) => this.#networking.connectTcp(bounded));
  }

  connectTcpTls(
    options: Parameters<ClientNetworking['connectTcpTls']>[0],
  ): ReturnType<ClientNetworking['connectTcpTls']> {
    return this.#bounded(options, (bounded) => this.#networking.connectTcpTls(bounded));
  }

  async #bounded<Options extends Parameters<ClientNetworking['connectTcp']>[0], Result>(
    options: Options,
    connect: (options: Options) => Promise<Result>,
  ): Promise<Result> {
    const milliseconds = this.#milliseconds;
    const deadline = new Deadline(this.clock, { timer: 'connect', milliseconds, signal: options.signal });
    try {
      return await connect({
        ...options,
        signal: deadline.signal,
        connectTimeout: Infinity,
        handshakeTimeout: Infinity,
      });
    } catch (error) {
      if (deadline.error === undefined || error !== deadline.error) throw error;
      throw new TimeoutError('connect', milliseconds, `connecting took longer than ${String(milliseconds)} ms`);
    } finally {
      deadline[Symbol.dispose]();
    }
  }
}

/** Milliseconds; curl's. */
const DEFAULT_TIMEOUT = 300_000;
const MAX_SECONDS = 86_400;
