/**
 * One line per answered request.
 *
 * Owns the three forms: for people, as JSON, and the Common Log Format. What a peer wrote into a path or a method is
 * escaped; credentials do not get into the log: fields are not logged, and parameters that are secrets by their
 * names are left out.
 *
 * @module
 */
import { escapeControls } from '../../src/common/index.ts';
import type { RequestRecord } from '../../src/server/index.ts';

/** How requests are logged. */
export type LogFormat = 'pretty' | 'json' | 'clf';

/** The line for a request, without its end. `wallTime`: milliseconds since 1970. */
export function formatAccess(request: RequestRecord, format: LogFormat, wallTime: number): string {
  const record = { ...request, path: redactQuery(request.path) };
  switch (format) {
    case 'json':
      return formatJson(record, wallTime);
    case 'clf':
      return formatCommonLog(record, wallTime);
    case 'pretty':
      return formatPretty(record);
  }
}

/** The path with the values of parameters that are credentials by their names left out. */
function redactQuery(path: string): string {
  const query = path.indexOf('?');
  if (query === -1) return path;
  return path.slice(0, query) + path.slice(query).replaceAll(SECRET_PARAMETER, '$1[redacted]');
}

const SECRET_PARAMETER =
  /([?&;](?:access_token|id_token|refresh_token|token|api[_-]?key|password|passwd|secret|client_secret|signature|sig)=)[^&;#]*/gi;

function formatJson(record: RequestRecord, wallTime: number): string {
  return JSON.stringify({
    time: new Date(wallTime).toISOString(),
    ...record,
    method: escapeControls(record.method),
    path: escapeControls(record.path),
    duration: Math.round(record.duration * 1000) / 1000,
    aborted: record.aborted === undefined ? null : escapeControls(record.aborted),
  });
}

function formatPretty(record: RequestRecord): string {
  const outcome = record.aborted === undefined ? String(record.status) : `${String(record.status)} (${record.aborted})`;
  const duration = record.duration < 10 ? record.duration.toFixed(1) : record.duration.toFixed(0);
  return escapeControls(
    `${record.requestId}  HTTP/${record.httpVersion}  ${outcome}  ${record.method} ${record.path}  ` +
      `${formatBytes(record.bytesSent)}  ${duration} ms`,
  );
}

const monthNames = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function formatCommonLog(record: RequestRecord, wallTime: number): string {
  const at = new Date(wallTime);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${two(at.getUTCDate())}/${String(monthNames[at.getUTCMonth()])}/${String(at.getUTCFullYear())}`;
  const time = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`;
  const request = escapeControls(`${record.method} ${record.path} HTTP/${record.httpVersion}`).replaceAll(
    /["\\]/g,
    '\\$&',
  );
  const client = record.clientAddress === '' ? '-' : record.clientAddress;
  const size = record.bytesSent === 0 ? '-' : String(record.bytesSent);
  return `${client} - - [${day}:${time} +0000] "${request}" ${String(record.status)} ${size}`;
}

/** `1.2 MB`, in powers of 1000. */
export function formatBytes(count: number): string {
  if (count < 1000) return `${String(count)} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let value = count;
  let unit = -1;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ${units[unit] as string}`;
}
