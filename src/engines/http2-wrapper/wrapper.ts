/**
 * The package http2-wrapper, as far as it is used: loaded when it is asked for, and a request opened by it.
 *
 * @module
 */
import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  ClientSessionRequestOptions,
  OutgoingHttpHeaders,
} from 'node:http2';
import type wrapperModule from 'http2-wrapper';
import { ConfigurationError } from '../../common/index.ts';
import type { RequestHead } from '../../protocols/semantics/index.ts';

/** The package. */
export type Http2Wrapper = typeof wrapperModule;

/** Loads the package. @throws ConfigurationError when it is not installed */
export async function loadWrapper(): Promise<Http2Wrapper> {
  try {
    return (await import('http2-wrapper')).default;
  } catch (error) {
    throw new ConfigurationError('http2-wrapper is not installed', { hint: 'npm install http2-wrapper', cause: error });
  }
}

/**
 * Opens a request by the wrapper on a session, and answers the stream. The head is ours as it stands: the wrapper's own
 * form of it has no place for `:protocol` and an order of its own.
 */
export function openStream(
  wrapper: Http2Wrapper,
  session: ClientHttp2Session,
  head: RequestHead,
  headers: OutgoingHttpHeaders,
  options: ClientSessionRequestOptions,
): ClientHttp2Stream {
  let opened: ClientHttp2Stream | undefined;
  let failure: unknown;
  const h2session = {
    destroyed: false,
    socket: { encrypted: true },
    request: (): ClientHttp2Stream => {
      try {
        opened = session.request(headers, options);
      } catch (error) {
        failure = error;
        throw error;
      }
      return opened;
    },
  } as unknown as ClientHttp2Session;
  const request = wrapper.request('https://localhost', { h2session, method: head.method, path: head.path ?? '/' });
  // The stream tells it all; these are what the wrapper does where nobody listens.
  request.on('error', ignore);
  request.on('connect', ignore);
  request.flushHeaders();
  if (opened === undefined) throw failure;
  // It would destroy a stream that is being reset before the reset is out.
  opened.removeAllListeners('aborted');
  return opened;
}

function ignore(): void {
  // Told by the stream.
}
