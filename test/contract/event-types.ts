import type { HttpEvent } from '../../src/protocols/index.ts';

/** The tags of events. */
export type HttpEventType = HttpEvent['type'];

/** The event of a tag. */
export type EventOf<Type extends HttpEventType> = Extract<HttpEvent, { readonly type: Type }>;
