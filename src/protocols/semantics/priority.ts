/**
 * Priorities: the value of the Priority field and of PRIORITY_UPDATE.
 *
 * Owns: RFC 9218 sections 4 and 5: `u` and `i` out of a dictionary of structured fields (RFC 9651), everything else
 * skipped, what is malformed counted as absent. Nothing throws.
 *
 * @module
 */

import { LocalProtocolError } from '../../common/index.ts';
import { DEFAULT_URGENCY } from '../send-order.ts';

/** What a Priority field says. */
export interface Priority {
  /** 0 (first) to 7. */
  readonly urgency: number;
  readonly incremental: boolean;
}

const LONGEST = 256;
const NORMAL: Priority = { urgency: DEFAULT_URGENCY, incremental: false };

/** @throws LocalProtocolError for what is no urgency (RFC 9218 section 4.1) */
export function checkUrgency(urgency: number): void {
  if (!(urgency >= 0 && urgency <= 7 && Number.isInteger(urgency))) {
    throw new LocalProtocolError('an urgency is a whole number from 0 to 7');
  }
}

/** Reads the value. */
export function parsePriority(value: string): Priority {
  if (value.length > LONGEST) return NORMAL;
  let urgency = DEFAULT_URGENCY;
  let incremental = false;
  for (const member of value.split(',')) {
    const semicolon = member.indexOf(';');
    const text = (semicolon < 0 ? member : member.slice(0, semicolon)).trim();
    if (text === 'i' || text === 'i=?1') incremental = true;
    else if (text === 'i=?0') incremental = false;
    else if (text.length === 3 && text.startsWith('u=')) {
      const digit = text.charCodeAt(2) - 0x30;
      if (digit >= 0 && digit <= 7) urgency = digit;
    }
  }
  return { urgency, incremental };
}

/** Writes the value, each member only where it differs from its default. */
export function formatPriority(urgency: number, incremental: boolean): string {
  const members: string[] = [];
  if (urgency !== DEFAULT_URGENCY) members.push(`u=${String(urgency)}`);
  if (incremental) members.push('i');
  return members.join(', ');
}
