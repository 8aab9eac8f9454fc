/**
 * Dates in fields (RFC 9110 section 5.6.7).
 *
 * Owns reading the three forms, strictly: what fits none of them is no date, and conditions on it are ignored.
 *
 * @module
 */

/** Seconds since 1970, or `undefined` for what is no date. */
export function parseHttpDate(text: string | null): number | undefined {
  if (text === null || text.length > 40) return undefined;
  const fixed = IMF_FIXDATE.exec(text);
  if (fixed !== null) return secondsOf(fixed[3], fixed[2], fixed[1], fixed[4]);
  const old = RFC_850.exec(text);
  if (old !== null) return secondsOf(fullYear(old[3] as string), old[2], old[1], old[4]);
  const asctime = ASCTIME.exec(text);
  if (asctime !== null) return secondsOf(asctime[4], asctime[1], asctime[2], asctime[3]);
  return undefined;
}

/** The preferred form of a time in seconds since 1970. */
export function formatHttpDate(seconds: number): string {
  return new Date(seconds * 1000).toUTCString();
}

function secondsOf(
  year: string | undefined,
  month: string | undefined,
  day: string | undefined,
  time: string | undefined,
): number | undefined {
  const [hour = 0, minute = 0, second = 0] = (time ?? '').split(':').map(Number);
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  const monthIndex = MONTHS.indexOf(month ?? '');
  const dayNumber = Number(day);
  const date = new Date(Date.UTC(Number(year), monthIndex, dayNumber, hour, minute, second));
  // The 31st of a shorter month would roll over.
  if (date.getUTCDate() !== dayNumber && second < 60) return undefined;
  return date.getTime() / 1000;
}

/**
 * RFC 850 has two digits: years that seem more than 50 years in the future are the past. The turn is fixed, so that
 * the same text always means the same time.
 */
function fullYear(twoDigits: string): string {
  return Number(twoDigits) >= 70 ? `19${twoDigits}` : `20${twoDigits}`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const MONTH = `(${MONTHS.join('|')})`;
const TIME = '(\\d{2}:\\d{2}:\\d{2})';
const IMF_FIXDATE = new RegExp(`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\\d{2}) ${MONTH} (\\d{4}) ${TIME} GMT$`);
const RFC_850 = new RegExp(
  `^(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday), (\\d{2})-${MONTH}-(\\d{2}) ${TIME} GMT$`,
);
const ASCTIME = new RegExp(`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ${MONTH} ([ \\d]\\d) ${TIME} (\\d{4})$`);
