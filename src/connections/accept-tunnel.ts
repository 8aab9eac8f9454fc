/**
 * Accepting a tunnel, whatever the version calls it.
 *
 * Owns the choice between a 2xx answer to CONNECT or extended CONNECT (RFC 9110 section 9.3.6, RFC 8441) and 101 to an
 * Upgrade (RFC 9110 section 7.8), so that what runs inside is written once.
 *
 * @module
 */
import { LocalProtocolError } from '../common/index.ts';
import type { HeaderList } from '../common/index.ts';
import type { ServerExchange } from './exchange.ts';

/**
 * The protocol's name as this request offers it, or `undefined` when it does not offer it. Tokens of Upgrade are
 * compared without regard to case; `:protocol` is exact.
 */
export function offeredTunnel(exchange: ServerExchange, protocol: string): string | undefined {
  if (exchange.method === 'CONNECT') return exchange.protocol === protocol ? protocol : undefined;
  const wanted = protocol.toLowerCase();
  return exchange.upgrade.find((token) => token.toLowerCase() === wanted);
}

/**
 * Accepts a tunnel for the protocol; `undefined` for a plain CONNECT. From then on data is raw bytes both ways.
 *
 * @throws LocalProtocolError when the request does not offer it
 */
export function acceptTunnel(exchange: ServerExchange, protocol: string | undefined, headers: HeaderList = []): void {
  if (protocol === undefined) {
    if (exchange.method !== 'CONNECT' || exchange.protocol !== undefined) {
      throw new LocalProtocolError('the request is no CONNECT');
    }
    exchange.acceptTunnel(headers);
    return;
  }
  const offered = offeredTunnel(exchange, protocol);
  if (offered === undefined) throw new LocalProtocolError(`the request does not offer ${protocol}`);
  if (exchange.method === 'CONNECT') exchange.acceptTunnel(headers);
  else exchange.acceptTunnel(headers, offered);
}
