/**
 * A stand-in for TLS over simulated streams: one message each way, in the clear.
 *
 * Owns the two messages and what they carry: server name, ALPN, the identity shown, and the verdict upon it, with the
 * errors and deadlines of the real thing. It hides nothing and proves nothing: `node:tls` is tested over sockets.
 *
 * The client's hello names its server, its protocols and, by number, the identity it shows; the server's answer names
 * the protocol chosen and its identity, or an alert. Identities are numbers in a table of the simulation, so that the
 * length of a certificate changes nothing in how bytes are cut.
 *
 * @module
 */
import { ConfigurationError, NetworkError } from '../../common/index.ts';
import type { TlsFacts, TlsIdentity } from '../../common/index.ts';
import type { ByteStream } from '../byte-stream.ts';

/** What the client says. */
export interface ClientHello {
  readonly serverName: string | undefined;
  readonly alpn: readonly string[];
  /** The number of the identity that the client can show, or `undefined`. */
  readonly identity: number | undefined;
}

/** What the server answers. */
export type ServerAnswer =
  | { readonly alert: string }
  | { readonly alpn: string | undefined; readonly identity: number; readonly asksForCertificate: boolean };

/** The identities that are shown in a simulation, by number. */
export class IdentityTable {
  readonly #identities: TlsIdentity[];

  constructor() {
    this.#identities = [];
  }

  /** The number of an identity; the same certificate has the same number. */
  numberOf(identity: TlsIdentity): number {
    const known = this.#identities.findIndex((other) => other.cert === identity.cert && other.pfx === identity.pfx);
    return known >= 0 ? known : this.#identities.push(identity) - 1;
  }

  /** The chain of an identity, as it is shown. @throws ConfigurationError for one without a certificate in PEM */
  chainOf(number: number): string {
    const cert = this.#identities[number]?.cert;
    if (cert === undefined) throw new ConfigurationError('an identity in a simulation has its certificate in PEM');
    return typeof cert === 'string' ? cert : Buffer.from(cert).toString('latin1');
  }
}

/** The first byte of a message: a TLS record with a handshake begins so (RFC 8446 section 5.1). */
const HANDSHAKE = 0x16;
/** Messages have one length, so that names and numbers in them change nothing in how bytes are cut. */
const MESSAGE_LENGTH = 512;

/** Writes a message as bytes. */
export function writeMessage(message: ClientHello | ServerAnswer): Uint8Array {
  const text = Buffer.from(JSON.stringify(message), 'utf8');
  const bytes = new Uint8Array(Math.max(MESSAGE_LENGTH, text.length + 5)).fill(0x20);
  bytes[0] = HANDSHAKE;
  new DataView(bytes.buffer).setUint32(1, bytes.length - 5);
  bytes.set(text, 5);
  return bytes;
}

/** Reads one message off a stream that nobody has started. Bytes behind it stay for the next handler. */
export class MessageReader {
  readonly #stream: ByteStream;
  #bytes: Buffer;
  #done: ((message: unknown, error: NetworkError | undefined) => void) | undefined;

  /** @param done - called once, with the message or with what came in its place */
  constructor(stream: ByteStream, done: (message: unknown, error: NetworkError | undefined) => void) {
    this.#stream = stream;
    this.#bytes = Buffer.alloc(0);
    this.#done = done;
    stream.start({
      dataReceived: (chunk) => this.#received(chunk),
      endReceived: () => this.#finish(undefined, handshakeError('ERR_CONNECTION_RESET', CLOSED)),
      drained: () => undefined,
      closed: () => this.#finish(undefined, handshakeError('ERR_CONNECTION_RESET', CLOSED)),
    });
  }

  /** Bytes that came behind the message. */
  get rest(): Uint8Array {
    return this.#bytes;
  }

  #received(chunk: Uint8Array): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    if (this.#bytes[0] !== HANDSHAKE) {
      this.#finish(undefined, handshakeError('ERR_TLS_NOT_TLS', 'the peer does not speak TLS here'));
      return;
    }
    if (this.#bytes.length < 5) return;
    const length = this.#bytes.readUInt32BE(1);
    if (length > LONGEST_MESSAGE) {
      this.#finish(undefined, handshakeError('ERR_TLS_NOT_TLS', 'the peer does not speak TLS here'));
      return;
    }
    if (this.#bytes.length < 5 + length) return;
    const text = this.#bytes.toString('utf8', 5, 5 + length);
    this.#bytes = this.#bytes.subarray(5 + length);
    this.#stream.pause();
    this.#finish(JSON.parse(text), undefined);
  }

  #finish(message: unknown, error: NetworkError | undefined): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(message, error);
  }
}

const LONGEST_MESSAGE = 0x10000;
const CLOSED = 'the peer closed the connection during the handshake';

/** A failure of a simulated handshake. */
export function handshakeError(code: string, words: string, doing = 'TLS handshake failed'): NetworkError {
  return new NetworkError(`${doing}: ${words}`, { code, phase: 'tls' });
}

/** The facts of a simulated connection. */
export function simulatedFacts(
  facts: Pick<TlsFacts, 'alpn' | 'serverName' | 'authorized' | 'peerCertificate'>,
): TlsFacts {
  return { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', resumed: false, ...facts };
}
