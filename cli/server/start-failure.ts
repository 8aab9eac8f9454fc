/**
 * Why a server could not start, with the command that would do.
 *
 * @module
 */
import { AppError, ConfigurationError, NetworkError, TimeoutError } from '../../src/common/index.ts';
import type { Endpoint } from '../../src/common/index.ts';
import { placeOf } from '../import-module.ts';
import { CommandError, messageOf } from '../report.ts';
import { shellWord } from '../shell-word.ts';

/** The error to show for what `listen` threw. */
export function startFailure(error: unknown, app: string, endpoints: readonly Endpoint[]): unknown {
  if (error instanceof NetworkError && error.phase === 'listen') {
    return new CommandError(
      { cause: error.message, place: undefined, next: listenAdvice(error, app, endpoints) },
      1,
      error,
    );
  }
  if (error instanceof AppError || (error instanceof TimeoutError && error.timer === 'startup')) {
    const origin = error.cause ?? error;
    const detail = origin === error ? '' : `: ${messageOf(origin)}`;
    const next = 'add --dev for the stack';
    return new CommandError({ cause: `${error.message}${detail}`, place: placeOf(origin), next }, 1, error);
  }
  if (error instanceof ConfigurationError) {
    return new CommandError({ cause: error.message, place: undefined, next: error.hint }, 1, error);
  }
  return error;
}

function listenAdvice(error: NetworkError, app: string, endpoints: readonly Endpoint[]): string {
  const command = `hface-ts server ${shellWord(app)}`;
  switch (error.code) {
    case 'ERR_ADDRESS_IN_USE':
      return endpoints.some((endpoint) => endpoint.unixPath !== undefined)
        ? 'end the server that has it, or name another endpoint'
        : `end the server that has it, or ${command} -p ${String(otherPort(endpoints))}`;
    case 'ERR_ACCESS':
      return endpoints.some((endpoint) => endpoint.unixPath === undefined && endpoint.port > 0 && endpoint.port < 1024)
        ? `ports below 1024 need rights; ${command} 5080 https://localhost:5443`
        : 'another place, or the rights for this one';
    case 'ERR_ADDRESS_NOT_AVAILABLE':
      return `an address of this machine: ${command} http://127.0.0.1:5080`;
    case 'ERR_NAME_NOT_FOUND':
    case 'ERR_NAME_SERVER':
      return `${command} --host localhost`;
    case 'ERR_NO_SUCH_PATH':
      return 'make the folder of the socket first';
    default:
      return `${command} -p 0`;
  }
}

/** A port that was not asked for. */
function otherPort(endpoints: readonly Endpoint[]): number {
  const taken = new Set(endpoints.map((endpoint) => endpoint.port));
  let port = 8080;
  while (taken.has(port)) port += 1;
  return port;
}
