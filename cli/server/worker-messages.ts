/**
 * What the command and its workers tell each other, as JSON over Node's channel between processes.
 *
 * Owns the shapes, and TLS as data: callbacks stay behind.
 *
 * @module
 */
import type { Endpoint, ServerTlsConfig, SocketAddress } from '../../src/common/index.ts';
import type { Failure } from '../report.ts';

/** An endpoint that the command has opened. */
export interface OpenEndpoint {
  /** With the port that it really has. */
  readonly endpoint: Endpoint;
  readonly addresses: readonly SocketAddress[];
}

/** TLS without callbacks: texts, and bytes in base64. */
export interface PlainTls {
  readonly cert: string;
  readonly key: string;
  readonly passphrase: string | undefined;
  readonly ca: string | undefined;
  readonly clientCertificate: ServerTlsConfig['clientCertificate'];
  readonly ticketKeys: string;
}

/** The first message to a worker. */
export interface StartMessage {
  readonly type: 'start';
  /** The words behind `server` on the command line. */
  readonly words: readonly string[];
  readonly endpoints: readonly OpenEndpoint[];
  readonly tls: PlainTls | undefined;
  /** The ids of its connections begin behind this. */
  readonly lastConnectionId: number;
}

/** From the command to a worker. */
export type ToWorker =
  | StartMessage
  /** With a socket: it was accepted at the endpoint of that number, at one of its addresses. */
  | { readonly type: 'connection'; readonly id: number; readonly endpoint: number; readonly address: SocketAddress }
  /** For handshakes to come. */
  | { readonly type: 'tls'; readonly tls: PlainTls }
  /** Finish what runs within so many milliseconds, and end. */
  | { readonly type: 'drain'; readonly timeout: number };

/** From a worker to the command. */
export type FromWorker =
  /** It serves; `title` and `remark` are those of the start text. */
  | { readonly type: 'ready'; readonly title: string; readonly remark: string | undefined }
  /** It cannot serve, and ends. */
  | {
      readonly type: 'failed';
      readonly failure: Failure;
      readonly exitCode: number;
      /** With `--dev`. */
      readonly stack: string | undefined;
    }
  /** The socket is the worker's now. */
  | { readonly type: 'taken'; readonly id: number }
  /** The worker takes none any more. */
  | { readonly type: 'refused'; readonly id: number }
  /** It began to drain, with so many requests running. */
  | { readonly type: 'draining'; readonly requests: number };

/** TLS as data. */
export function plainTls(config: ServerTlsConfig, ticketKeys: Uint8Array): PlainTls {
  const { ca } = config;
  return {
    cert: textOf(config.cert ?? ''),
    key: textOf(config.key ?? ''),
    passphrase: config.passphrase,
    ca: ca === undefined ? undefined : [ca].flat().map(textOf).join('\n'),
    clientCertificate: config.clientCertificate,
    ticketKeys: Buffer.from(ticketKeys).toString('base64'),
  };
}

/** TLS from data. */
export function tlsOf(plain: PlainTls, keylog: ((line: string) => void) | undefined): ServerTlsConfig {
  const { cert, key, passphrase, ca, clientCertificate, ticketKeys } = plain;
  return {
    cert,
    key,
    ticketKeys: Buffer.from(ticketKeys, 'base64'),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(ca === undefined ? {} : { ca }),
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
    ...(keylog === undefined ? {} : { keylog }),
  };
}

function textOf(pem: string | Uint8Array): string {
  return typeof pem === 'string' ? pem : Buffer.from(pem).toString('latin1');
}
