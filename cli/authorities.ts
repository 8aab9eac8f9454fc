/**
 * Files of authorities: `--cacert` of the client, `--client-ca` of the server.
 *
 * @module
 */
import { readPemFile } from '../src/certificates/index.ts';
import { CommandError, failureOf } from './report.ts';

/** The PEM text of a file that holds at least one certificate. @throws CommandError with the exit code */
export async function readAuthorities(file: string, exitCode: number): Promise<Uint8Array> {
  let pem: Uint8Array;
  try {
    pem = await readPemFile(file, 'CA');
  } catch (error) {
    const { cause, next } = failureOf(error);
    throw new CommandError({ cause, place: undefined, next }, exitCode, error);
  }
  if (Buffer.from(pem).includes('-----BEGIN CERTIFICATE-----')) return pem;
  const next = 'a file in PEM, with -----BEGIN CERTIFICATE-----';
  throw new CommandError({ cause: 'the file of authorities holds no certificate', place: file, next }, exitCode);
}
