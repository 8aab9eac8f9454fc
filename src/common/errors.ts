/**
 * The errors of every layer. Each says by its class what kind of failure it is, by `code` which one, and by
 * `initiator` whose doing it was.
 *
 * Owns the classes. Wire codes of each version are in error-codes.ts and in the engines.
 *
 * @module
 */

/** Whose doing a failure was. */
export type Initiator = 'application' | 'engine' | 'peer' | 'network';

/** What every error carries besides its message. */
export interface ErrorDetails {
  /** `ERR_…`, stable across releases. */
  readonly code: string;
  /** Whose doing it was. */
  readonly initiator: Initiator;
  /** The error below this one. */
  readonly cause?: unknown;
}

/** The root of all errors that this library throws or reports. */
export class HfaceError extends Error {
  /** `ERR_…`, stable across releases: what a program compares. */
  readonly code: string;
  /** Whose doing it was. */
  readonly initiator: Initiator;

  constructor(message: string, details: ErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.code = details.code;
    this.initiator = details.initiator;
  }
}

/** The caller asked for something illegal. Thrown at once; the state is what it was before the call. */
export class LocalProtocolError extends HfaceError {
  constructor(message: string, code = 'ERR_LOCAL_PROTOCOL', cause?: unknown) {
    super(message, { code, initiator: 'application', cause });
  }
}

/** What a protocol error of the peer concerns. */
export type ErrorScope = 'stream' | 'connection';

/** The peer broke the protocol. */
export class RemoteProtocolError extends HfaceError {
  /** Whether one stream or the whole connection ends. */
  readonly scope: ErrorScope;
  /** The code on the wire, from the version's own space (RFC 9113 section 7, RFC 9114 section 8.1); 0 on HTTP/1. */
  readonly wireCode: number;
  /** The status that tells the peer, when a response can still be sent: 400, 413, 431 … */
  readonly statusHint: number | undefined;

  constructor(
    message: string,
    details: {
      readonly code?: string;
      readonly scope: ErrorScope;
      readonly wireCode: number;
      readonly statusHint?: number | undefined;
      readonly cause?: unknown;
    },
  ) {
    super(message, { code: details.code ?? 'ERR_REMOTE_PROTOCOL', initiator: 'peer', cause: details.cause });
    this.scope = details.scope;
    this.wireCode = details.wireCode;
    this.statusHint = details.statusHint;
  }
}

/** A named limit was reached. */
export class LimitError extends HfaceError {
  /** The limit's name as it stands in the options. */
  readonly limit: string;
  /** The limit in force. */
  readonly value: number;
  /** The status that tells the peer, when a response can still be sent. */
  readonly statusHint: number | undefined;

  constructor(
    message: string,
    details: {
      readonly limit: string;
      readonly value: number;
      readonly initiator?: Initiator;
      readonly statusHint?: number | undefined;
    },
  ) {
    super(message, { code: 'ERR_LIMIT', initiator: details.initiator ?? 'peer' });
    this.limit = details.limit;
    this.value = details.value;
    this.statusHint = details.statusHint;
  }
}

/** What a network error happened to. */
export type NetworkPhase = 'resolve' | 'connect' | 'tls' | 'listen' | 'read' | 'write';

/** A socket, a name look-up or a TLS handshake failed. */
export class NetworkError extends HfaceError {
  /** Where it failed. */
  readonly phase: NetworkPhase;

  constructor(
    message: string,
    details: { readonly code?: string; readonly phase: NetworkPhase; readonly cause?: unknown },
  ) {
    super(message, { code: details.code ?? 'ERR_NETWORK', initiator: 'network', cause: details.cause });
    this.phase = details.phase;
  }
}

/** A timer ran out. */
export class TimeoutError extends HfaceError {
  /** The timer's name as it stands in the options: `connect`, `head`, `bodyIdle` … */
  readonly timer: string;
  /** What the timer was set to, in milliseconds. */
  readonly milliseconds: number;

  constructor(timer: string, milliseconds: number, message?: string) {
    super(message ?? `timer ${timer} ran out after ${String(milliseconds)} ms`, {
      code: 'ERR_TIMEOUT',
      initiator: 'network',
    });
    this.timer = timer;
    this.milliseconds = milliseconds;
  }
}

/** A stream was reset, by the peer or by this side. */
export class StreamResetError extends HfaceError {
  /** The code on the wire. */
  readonly errorCode: number;
  /** Whether the peer may have acted on the request (see `Processed` in protocols/events). */
  readonly processed: 'no' | 'maybe';

  constructor(
    message: string,
    details: {
      readonly errorCode: number;
      readonly initiator: Initiator;
      readonly processed?: 'no' | 'maybe';
      readonly cause?: unknown;
    },
  ) {
    super(message, { code: 'ERR_STREAM_RESET', initiator: details.initiator, cause: details.cause });
    this.errorCode = details.errorCode;
    this.processed = details.processed ?? 'maybe';
  }
}

/** A proxy on the way refused. */
export class ProxyError extends HfaceError {
  /** The status that the proxy answered with. */
  readonly status: number;

  constructor(message: string, status: number, cause?: unknown) {
    super(message, { code: 'ERR_PROXY', initiator: 'peer', cause });
    this.status = status;
  }
}

/** The mounted application failed or broke its interface. */
export class AppError extends HfaceError {
  constructor(message: string, code = 'ERR_APP', cause?: unknown) {
    super(message, { code, initiator: 'application', cause });
  }
}

/** Options, files or arguments that cannot be used. The message says what, where, and what to do instead. */
export class ConfigurationError extends HfaceError {
  /** What would help, as one line: a command or a value. */
  readonly hint: string | undefined;

  constructor(
    message: string,
    details: { readonly code?: string; readonly hint?: string | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, { code: details.code ?? 'ERR_CONFIGURATION', initiator: 'application', cause: details.cause });
    this.hint = details.hint;
  }
}

/** What an implementation throws for a member that its capabilities do not cover. */
export function unsupported(what: string): LocalProtocolError {
  return new LocalProtocolError(`${what} is not supported by this protocol implementation`, 'ERR_UNSUPPORTED');
}

/** The error as an `HfaceError`: itself, or wrapped in one that names it as its cause. */
export function toHfaceError(error: unknown, initiator: Initiator = 'application'): HfaceError {
  if (error instanceof HfaceError) return error;
  return new HfaceError(messageOf(error), { code: 'ERR_UNEXPECTED', initiator, cause: error });
}

/** What was thrown, in words. Anything can be thrown, also what cannot be printed. */
function messageOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return 'a value that cannot be printed';
  }
}
