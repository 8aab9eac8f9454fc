/**
 * Asking for a tunnel, whatever the version calls it.
 *
 * Owns the choice between CONNECT (RFC 9110 section 9.3.6), Upgrade on HTTP/1.1 (RFC 9110 section 7.8) and extended
 * CONNECT (RFC 8441), and what counts as the server's agreement, so that what runs inside is written once. The other
 * end is accept-tunnel.ts.
 *
 * @module
 */
import { unsupported } from '../common/index.ts';
import type { HeaderList } from '../common/index.ts';
import type { HttpProtocol } from '../protocols/index.ts';
import type { ClientExchanges } from './client-exchange.ts';
import type { ClientExchange, ClientExchangeHandler, ClientExchangeRequest } from './exchange.ts';

/** What a tunnel is asked for. */
export interface TunnelRequest {
  /** What runs inside: `websocket`, `connect-udp`; `undefined` for a plain CONNECT to `authority`. */
  readonly protocol: string | undefined;
  /** `http` or `https`; not used by a plain CONNECT. */
  readonly scheme: string;
  readonly authority: string;
  /** Not used by a plain CONNECT. */
  readonly path: string;
  /** Regular fields. */
  readonly headers: HeaderList;
}

/** The request that asks for a tunnel on a connection of that engine. @throws LocalProtocolError where it has no way */
export function tunnelRequest(engine: HttpProtocol, tunnel: TunnelRequest): ClientExchangeRequest {
  const { protocol, scheme, authority, path, headers } = tunnel;
  const common = { authority, headers, rawNames: undefined };
  if (protocol === undefined) {
    return { ...common, method: 'CONNECT', scheme: '', path: '', protocol, upgrade: undefined, endStream: false };
  }
  if (engine.capabilities.has('extendedConnect')) {
    return { ...common, method: 'CONNECT', scheme, path, protocol, upgrade: undefined, endStream: false };
  }
  if (!engine.capabilities.has('upgrade')) throw unsupported(`a tunnel for ${protocol}`);
  return { ...common, method: 'GET', scheme, path, protocol: undefined, upgrade: protocol, endStream: true };
}

/** Whether a final status means that the tunnel is there: 101 to an Upgrade, 2xx to CONNECT. */
export function tunnelAccepted(request: Pick<ClientExchangeRequest, 'method' | 'upgrade'>, status: number): boolean {
  return request.method === 'CONNECT' ? status >= 200 && status < 300 : status === 101;
}

/**
 * Asks for a tunnel on a connection. Once the handler's `headersReceived` brought the agreement (see
 * {@link tunnelAccepted}) `sendData` and `dataReceived` carry raw bytes both ways, with half-close and reset; before it
 * nothing is to be sent. On HTTP/2 the server must have allowed extended CONNECT by its SETTINGS, which
 * `exchanges.extendedConnect` tells.
 *
 * @throws LocalProtocolError
 */
export function openTunnel(
  exchanges: ClientExchanges,
  tunnel: TunnelRequest,
  handler: ClientExchangeHandler,
): ClientExchange {
  return exchanges.request(tunnelRequest(exchanges.connection.protocol, tunnel), handler);
}
