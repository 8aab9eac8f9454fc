/**
 * One endpoint over TCP and over QUIC, with one port number (RFC 9114 section 3.1: an alternative on the same port is
 * what firewalls and users expect).
 *
 * Owns the port: TCP's, which UDP gets too; where the system chose it and UDP's is taken, both are tried again.
 *
 * Invariant: both listen, or neither.
 *
 * @module
 */
import { NetworkError } from '../common/index.ts';
import type { Endpoint } from '../common/index.ts';
import type { HttpListener, HttpListenerHandler, HttpListening } from './http-listener.ts';
import { MultiListening } from './http-multi-listener.ts';

/** How often the system may choose another port when its choice is taken on UDP. */
const PORT_ATTEMPTS = 20;

/** {@link HttpListener} over TCP and QUIC. */
export class HttpSharedPortListener implements HttpListener {
  readonly #tcp: HttpListener;
  readonly #quic: HttpListener;

  constructor(tcp: HttpListener, quic: HttpListener) {
    this.#tcp = tcp;
    this.#quic = quic;
  }

  /** @throws NetworkError, ConfigurationError */
  async listen(endpoint: Endpoint, handler?: HttpListenerHandler): Promise<HttpListening> {
    for (let attempt = 1; ; attempt += 1) {
      const tcp = await this.#tcp.listen(endpoint, handler);
      try {
        // A client may come over TCP before UDP is bound: then it stays there.
        const quic = await this.#quic.listen(tcp.endpoints[0] ?? endpoint, handler);
        return new SharedPortListening([tcp, quic]);
      } catch (error) {
        await tcp.close();
        const taken = error instanceof NetworkError && error.code === 'ERR_ADDRESS_IN_USE';
        if (endpoint.port !== 0 || !taken || attempt === PORT_ATTEMPTS) throw error;
      }
    }
  }
}

/** Both as one endpoint. */
class SharedPortListening extends MultiListening {
  override get endpoints(): readonly Endpoint[] {
    return super.endpoints.slice(0, 1);
  }
}
