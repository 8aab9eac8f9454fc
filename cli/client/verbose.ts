/**
 * `-v`: what happens on each connection, on stderr, as it happens.
 *
 * Owns the lines. `*` is the network, `>` what is submitted, `<` what is received; `2.1` is the first stream of the
 * second connection. Of HTTP/2 each frame has a line of its own, `>` when it is sent; of HTTP/3 the events say what the
 * frames said, and those of the handshake what TLS agreed on. Control characters are escaped,
 * credentials are left out.
 *
 * @module
 */
import type { ClientNetworking } from '../../src/client/index.ts';
import { bracketHost, escapeControls, formatSocketAddress, redactHeaders } from '../../src/common/index.ts';
import type { Clock, HeaderList, NetworkError, NetworkPath, Random, TlsFacts } from '../../src/common/index.ts';
import type { UdpSocket, UdpSocketHandler } from '../../src/networking/index.ts';
import type {
  FrameTrace,
  HandshakeCompleted,
  HttpEvent,
  HttpProtocol,
  SubmitTrace,
  TraceHandler,
} from '../../src/protocols/index.ts';

/** Prints what the engines do. */
export class VerboseTrace implements TraceHandler {
  readonly #tell: (line: string) => void;
  readonly #numbers: WeakMap<HttpProtocol, number>;
  #count: number;

  /** @param tell - takes a line without its end */
  constructor(tell: (line: string) => void) {
    this.#tell = tell;
    this.#numbers = new WeakMap();
    this.#count = 0;
  }

  submitted(trace: SubmitTrace, protocol: HttpProtocol): void {
    const place = this.#place(protocol, 'streamId' in trace ? trace.streamId : undefined);
    this.#tell(`> ${place} ${trace.type}${details(trace)}`);
    if ('headers' in trace) this.#fields('>', trace.headers, undefined);
  }

  event(event: HttpEvent, protocol: HttpProtocol): void {
    const place = this.#place(protocol, 'streamId' in event ? event.streamId : undefined);
    this.#tell(`< ${place} ${event.type}${details(event)}`);
    if ('headers' in event) this.#fields('<', event.headers, event.rawNames);
  }

  frame(direction: 'sent' | 'received', frame: FrameTrace, protocol: HttpProtocol): void {
    const { type, streamId, length, flags, detail } = frame;
    const place = this.#place(protocol, streamId === 0 ? undefined : streamId);
    const parts = [`${String(length)} bytes`, ...flags];
    if (detail !== '') parts.push(detail);
    const sign = direction === 'sent' ? '>' : '<';
    this.#tell(escapeControls(`${sign} ${place} frame ${type} ${parts.join(', ')}`));
  }

  #place(protocol: HttpProtocol, streamId: number | undefined): string {
    let number = this.#numbers.get(protocol);
    if (number === undefined) {
      this.#count += 1;
      number = this.#count;
      this.#numbers.set(protocol, number);
    }
    return streamId === undefined ? String(number) : `${String(number)}.${String(streamId)}`;
  }

  #fields(sign: string, headers: HeaderList, rawNames: readonly string[] | undefined): void {
    const shown = redactHeaders(headers);
    for (let index = 0; index + 1 < shown.length; index += 2) {
      const raw = rawNames?.[index / 2];
      const name = raw === undefined || raw === '' || headers[index]?.startsWith(':') === true ? headers[index] : raw;
      const value = Buffer.from(shown[index + 1] as string, 'latin1').toString('utf8');
      this.#tell(escapeControls(`${sign}   ${name as string}: ${value}`));
    }
  }
}

/** What stands behind the name of an event or a submit. */
function details(what: SubmitTrace | HttpEvent): string {
  const parts: string[] = [];
  if (what.type === 'HandshakeCompleted') parts.push(...handshakeFacts(what));
  if (what.type === 'CertificateReceived') parts.push(escapeControls(`for ${what.serverName}`));
  if (what.type === 'SettingsReceived') parts.push(...[...what.settings].map(settingText));
  if (what.type === 'GoawayReceived') parts.push(`last stream ${String(what.lastStreamId)}`);
  if ('httpVersion' in what) parts.push(`HTTP/${what.httpVersion}`);
  if ('length' in what) parts.push(`${String(what.length)} bytes`);
  if ('data' in what) parts.push(`${String(what.data.length)} bytes`);
  if ('count' in what) parts.push(String(what.count));
  if ('errorCode' in what && what.errorCode !== 0) parts.push(`code ${String(what.errorCode)}`);
  if ('reason' in what && what.reason !== undefined && what.reason !== '') parts.push(escapeControls(what.reason));
  if ('error' in what && what.error !== undefined) parts.push(escapeControls(what.error.message));
  if ('endStream' in what && what.endStream) parts.push('end');
  return parts.length === 0 ? '' : ` ${parts.join(', ')}`;
}

function handshakeFacts({ alpn, cipher, resumed, earlyData }: HandshakeCompleted): string[] {
  const facts = [`ALPN ${alpn}`, cipher];
  if (resumed) facts.push('resumed');
  if (earlyData !== 'none') facts.push(`early data ${earlyData}`);
  return facts.map((fact) => escapeControls(fact));
}

function settingText([id, value]: readonly [number, number]): string {
  return `0x${id.toString(16)}=${String(value)}`;
}

/** Networking that tells of each connection. */
export class VerboseNetworking implements ClientNetworking {
  readonly #networking: ClientNetworking;
  readonly #tell: (line: string) => void;
  readonly findAddresses?: NonNullable<ClientNetworking['findAddresses']>;
  readonly connectUdp?: NonNullable<ClientNetworking['connectUdp']>;
  readonly serverChains?: NonNullable<ClientNetworking['serverChains']>;

  constructor(networking: ClientNetworking, tell: (line: string) => void) {
    this.#networking = networking;
    this.#tell = tell;
    const { findAddresses, connectUdp, serverChains } = networking;
    if (findAddresses === undefined || connectUdp === undefined || serverChains === undefined) return;
    this.findAddresses = (options) => findAddresses.call(networking, options);
    this.connectUdp = async (options, handler) => {
      const target = escapeControls(`${bracketHost(options.target.host)}:${String(options.target.port)}`);
      this.#tell(`* asking ${target} over UDP`);
      return connectUdp.call(networking, options, new VerboseDatagrams(handler, target, this.#tell));
    };
    this.serverChains = (tls) => serverChains.call(networking, tls);
  }

  get clock(): Clock {
    return this.#networking.clock;
  }

  get random(): Random {
    return this.#networking.random;
  }

  connectTcp(options: Parameters<ClientNetworking['connectTcp']>[0]): ReturnType<ClientNetworking['connectTcp']> {
    return this.#told(options, this.#networking.connectTcp(options));
  }

  connectTcpTls(
    options: Parameters<ClientNetworking['connectTcpTls']>[0],
  ): ReturnType<ClientNetworking['connectTcpTls']> {
    return this.#told(options, this.#networking.connectTcpTls(options));
  }

  async #told(
    options: Parameters<ClientNetworking['connectTcp']>[0],
    connecting: ReturnType<ClientNetworking['connectTcp']>,
  ): ReturnType<ClientNetworking['connectTcp']> {
    const target = escapeControls(`${options.target.host}:${String(options.target.port)}`);
    try {
      const stream = await connecting;
      const tls = stream.tls === undefined ? '' : `, ${tlsText(stream.tls)}`;
      this.#tell(`* connected to ${target} at ${formatSocketAddress(stream.remoteAddress)}${tls}`);
      return stream;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#tell(`* no connection to ${target}: ${escapeControls(reason)}`);
      throw error;
    }
  }
}

/** What happens on a UDP socket, as far as packets cannot tell it. */
class VerboseDatagrams implements UdpSocketHandler {
  readonly #handler: UdpSocketHandler;
  readonly #target: string;
  readonly #tell: (line: string) => void;
  /** What was told last: each datagram may fail alike. */
  #told: string;

  constructor(handler: UdpSocketHandler, target: string, tell: (line: string) => void) {
    this.#handler = handler;
    this.#target = target;
    this.#tell = tell;
    this.#told = '';
  }

  datagramReceived(data: Uint8Array, path: NetworkPath): void {
    this.#handler.datagramReceived(data, path);
  }

  turnEnded(): void {
    this.#handler.turnEnded();
  }

  drained(socket: UdpSocket): void {
    this.#handler.drained(socket);
  }

  datagramFailed(error: NetworkError, path: NetworkPath | undefined): void {
    if (error.message !== this.#told) this.#tell(escapeControls(`* ${this.#target} over UDP: ${error.message}`));
    this.#told = error.message;
    this.#handler.datagramFailed(error, path);
  }

  closed(socket: UdpSocket, error: NetworkError | undefined): void {
    if (error !== undefined) this.#tell(escapeControls(`* ${this.#target} over UDP: ${error.message}`));
    this.#handler.closed(socket, error);
  }
}

function tlsText(tls: TlsFacts): string {
  const facts = [tls.version, tls.cipher];
  if (tls.alpn !== undefined) facts.push(`ALPN ${tls.alpn}`);
  if (tls.resumed) facts.push('resumed');
  if (!tls.authorized) facts.push('not verified');
  return escapeControls(facts.join(' '));
}
