/**
 * The Priority field of a request (RFC 9218 section 4).
 *
 * Owns reading `u` and `i` from it; whatever else it holds is skipped, and what is malformed counts as absent, as the
 * RFC asks. The field is a small dictionary of structured fields (RFC 9651).
 *
 * @module
 */

/** What a Priority field says. */
export interface Priority {
  readonly urgency: number;
  readonly incremental: boolean;
}

/** Reads the combined value of a request's Priority fields. */
export function parsePriority(value: string | undefined): Priority {
  let urgency = DEFAULT_URGENCY;
  let incremental = false;
  if (value === undefined || value.length > MAX_LENGTH) return { urgency, incremental };
  for (const member of value.split(',')) {
    const text = member.trim();
    const semicolon = text.indexOf(';');
    const bare = semicolon === -1 ? text : text.slice(0, semicolon).trimEnd();
    if (/^u=[0-7]$/.test(bare)) urgency = Number(bare.slice(2));
    else if (bare === 'i' || bare === 'i=?1') incremental = true;
    else if (bare === 'i=?0') incremental = false;
  }
  return { urgency, incremental };
}

const DEFAULT_URGENCY = 3;
const MAX_LENGTH = 1024;
