/**
 * What listens at an endpoint: over TCP, over QUIC, or over both with one port number.
 *
 * @module
 */
import { ConfigurationError } from '../common/index.ts';
import { HttpOverQuicListener, HttpOverTcpListener, HttpSharedPortListener } from '../connections/index.ts';
import type {
  ConnectionAdmission,
  HttpListener,
  HttpOverQuicListenerOptions,
  ListenerLimitOptions,
} from '../connections/index.ts';
import type { AppServerOptions, ResolvedEndpoint, ServerNetworking } from './server-options.ts';

/** What all endpoints of a server have in common. */
export interface EndpointListenerParts {
  readonly networking: ServerNetworking;
  readonly admission: ConnectionAdmission;
  readonly limits: ListenerLimitOptions;
  readonly options: AppServerOptions;
}

/** Makes the listener of an endpoint. @throws ConfigurationError */
export function endpointListener(resolved: ResolvedEndpoint, parts: EndpointListenerParts): HttpListener {
  const { factory, quicFactory, tls } = resolved;
  const { networking, admission, limits, options } = parts;
  const tcp =
    factory === undefined
      ? undefined
      : new HttpOverTcpListener({
          networking,
          factory,
          tls,
          admission,
          limits,
          connectionLimits: options.connectionLimits,
          backlog: options.backlog,
          reusePort: options.reusePort,
        });
  const quic = quicFactory === undefined ? undefined : quicListener(resolved, parts);
  if (tcp !== undefined && quic !== undefined) return new HttpSharedPortListener(tcp, quic);
  const only = tcp ?? quic;
  if (only === undefined) throw new ConfigurationError('no protocol was chosen');
  return only;
}

function quicListener(resolved: ResolvedEndpoint, parts: EndpointListenerParts): HttpListener {
  const { quicFactory, tls, quic } = resolved;
  if (quicFactory === undefined || tls === undefined) throw new ConfigurationError('there is no HTTP/3 without TLS');
  const { earlyData, endpointLimits, quicLimits, receiveBuffer, retry, traces } = quic;
  return new HttpOverQuicListener({
    networking: withUdp(parts.networking),
    factory: quicFactory,
    tls,
    admission: parts.admission,
    limits: parts.limits,
    earlyData,
    endpointLimits,
    quicLimits,
    receiveBuffer,
    retry,
    traces,
  });
}

function withUdp(networking: ServerNetworking): HttpOverQuicListenerOptions['networking'] {
  if (networking.listenUdp === undefined || networking.clientChains === undefined) {
    throw new ConfigurationError('there is no HTTP/3 here: the networking has no UDP');
  }
  return networking as ServerNetworking & HttpOverQuicListenerOptions['networking'];
}
