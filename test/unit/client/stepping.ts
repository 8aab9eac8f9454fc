/**
 * Networking that counts what happens on its streams, and interferes at one of the steps.
 *
 * @module
 */
import type { NetworkError } from '../../../src/common/index.ts';
import type { ByteStream, ByteStreamHandler } from '../../../src/networking/index.ts';
import { SystemNetworking } from '../../../src/networking/index.ts';
import type { ClientNetworking } from '../../../src/client/index.ts';

/** Counts steps: connecting, connected, every piece read and written, every end. */
export class SteppingNetworking implements ClientNetworking {
  readonly #base = new SystemNetworking();
  readonly #onStep: (step: number) => void;
  /** How many steps there were. */
  steps = 0;
  /** Bytes read from sockets so far. */
  bytesRead = 0;
  readonly #streams = new Set<ByteStream>();
  #broken: NetworkError | undefined;

  constructor(onStep: (step: number) => void) {
    this.#onStep = onStep;
  }

  get clock(): ClientNetworking['clock'] {
    return this.#base.clock;
  }

  get random(): ClientNetworking['random'] {
    return this.#base.random;
  }

  async connectTcp(options: Parameters<ClientNetworking['connectTcp']>[0]): Promise<ByteStream> {
    this.step();
    return this.#wrap(await this.#base.connectTcp(options));
  }

  async connectTcpTls(options: Parameters<ClientNetworking['connectTcpTls']>[0]): Promise<ByteStream> {
    this.step();
    return this.#wrap(await this.#base.connectTcpTls(options));
  }

  /** Streams that are open. */
  get open(): number {
    return this.#streams.size;
  }

  /** Ends every stream with an error, and lets none be opened. */
  fail(error: NetworkError): void {
    this.#broken = error;
    for (const stream of this.#streams) stream.abort(error);
  }

  step(): void {
    this.steps += 1;
    this.#onStep(this.steps);
  }

  #wrap(stream: ByteStream): ByteStream {
    this.#streams.add(stream);
    this.step();
    if (this.#broken !== undefined) {
      this.#streams.delete(stream);
      stream.abort(this.#broken);
      throw this.#broken;
    }
    const step = (): void => this.step();
    return new Proxy(stream, {
      get: (target, name) => {
        if (name === 'start') {
          return (handler: ByteStreamHandler) =>
            target.start({
              dataReceived: (chunk) => {
                this.bytesRead += chunk.byteLength;
                step();
                handler.dataReceived(chunk);
                step();
              },
              endReceived: () => {
                step();
                handler.endReceived();
              },
              drained: () => {
                step();
                handler.drained();
              },
              closed: (error) => {
                this.#streams.delete(stream);
                step();
                handler.closed(error);
              },
            });
        }
        if (name === 'write') {
          return (...args: Parameters<ByteStream['write']>) => {
            step();
            return target.write(...args);
          };
        }
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  }
}
