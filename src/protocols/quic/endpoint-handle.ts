/**
 * A connection in the hands of its endpoint.
 *
 * Owns nothing but the endpoint's notes about it: by which ids it is found, whether it is to be asked for datagrams, when
 * its timer is due.
 *
 * @module
 */
import type { QuicConnection } from './connection.ts';
import type { HeapEntry } from './deadline-heap.ts';
import type { AdmissionPlace } from './endpoint-admission.ts';
import type { QuicConnectionHandle } from './endpoint-options.ts';

/** Notes about one connection. */
export class EndpointHandle implements QuicConnectionHandle, HeapEntry {
  readonly kind: 'connection';
  readonly connection: QuicConnection;
  /** Its place among the accepted ones; `undefined` when it was opened from here. */
  readonly place: AdmissionPlace | undefined;
  closed: boolean;
  attachment: object | undefined;
  deadline: number;
  heapIndex: number;
  /** Waits to be asked for datagrams. */
  dirty: boolean;
  /** Waits to be looked at by the driver. */
  ready: boolean;
  /** The keys under which the endpoint finds it. */
  readonly routes: Set<string>;
  /** The keys under which its peer's reset tokens are found. */
  readonly resets: Set<string>;
  /** The id by which the peer called it last. */
  lastRoute: string;
  readonly #wake: (handle: EndpointHandle) => void;

  constructor(connection: QuicConnection, place: AdmissionPlace | undefined, wake: (handle: EndpointHandle) => void) {
    this.kind = 'connection';
    this.connection = connection;
    this.place = place;
    this.closed = false;
    this.attachment = undefined;
    this.deadline = 0;
    this.heapIndex = -1;
    this.dirty = false;
    this.ready = false;
    this.routes = new Set();
    this.resets = new Set();
    this.lastRoute = '';
    this.#wake = wake;
  }

  wake(): void {
    this.#wake(this);
  }
}
