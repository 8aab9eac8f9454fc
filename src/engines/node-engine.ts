/**
 * What engines on Node's own HTTP modules have in common.
 *
 * Owns: the queue of events and its announcement. Such an engine works asynchronously inside: Node tells much in a later
 * turn, so every event and all output is announced by `onOutput`.
 *
 * @module
 */
import type { HttpEvent } from '../protocols/index.ts';
import { UncoveredMembers } from '../protocols/uncovered-members.ts';

/** Events. */
export abstract class NodeEngine extends UncoveredMembers {
  onOutput: (() => void) | undefined;
  #events: HttpEvent[];
  #taken: number;

  constructor() {
    super();
    this.onOutput = undefined;
    this.#events = [];
    this.#taken = 0;
  }

  /** See `Engine`. */
  nextEvent(): HttpEvent | undefined {
    const event = this.#events[this.#taken];
    if (event === undefined) return undefined;
    this.#taken += 1;
    if (this.#taken === this.#events.length) {
      this.#events = [];
      this.#taken = 0;
    }
    return event;
  }

  /** Queues an event and announces it. */
  protected tell(event: HttpEvent): void {
    this.#events.push(event);
    this.announce();
  }

  /** Events that were told and not pulled; the queue is empty afterwards. */
  protected withdrawEvents(): HttpEvent[] {
    const events = this.#events.slice(this.#taken);
    this.#events = [];
    this.#taken = 0;
    return events;
  }

  /** Says that there are events or output. */
  protected announce(): void {
    this.onOutput?.();
  }
}
