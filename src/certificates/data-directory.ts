/**
 * Where the development CA lies on each system.
 *
 * Owns the choice of the folder, and touches no file. The order: the caller's option, `HFACE_DATA_DIR`, then the
 * system's own place for an application's data.
 *
 * @module
 */
import { posix, resolve, win32 } from 'node:path';
import { ConfigurationError } from '../common/index.ts';
import { STORE_CODE } from './messages.ts';
import { systemFacts } from './system.ts';
import type { SystemFacts } from './system.ts';

/**
 * The folder that holds the development CA and its certificates.
 *
 * | system | folder |
 * | --- | --- |
 * | any, `directory` or `HFACE_DATA_DIR` given | that folder |
 * | Linux and other Unix | `$XDG_DATA_HOME/hface-ts`, or `~/.local/share/hface-ts` |
 * | macOS | `~/Library/Application Support/hface-ts` |
 * | Windows | `%LOCALAPPDATA%\hface-ts`, or `AppData\Local\hface-ts` in the user's folder |
 *
 * @param directory - overrides everything else; a relative path counts from the working folder
 * @param system - the process by default
 * @throws ConfigurationError when nothing names a folder: no home, no variable
 */
export function developmentDataDirectory(directory?: string, system: SystemFacts = systemFacts()): string {
  if (directory !== undefined && directory !== '') return resolve(directory);
  const fromEnvironment = system.environment['HFACE_DATA_DIR'];
  if (fromEnvironment !== undefined && fromEnvironment !== '') return resolve(fromEnvironment);
  if (system.platform === 'win32') return win32.join(windowsBase(system), FOLDER_NAME);
  if (system.platform === 'darwin') {
    return posix.join(requireHome(system), 'Library', 'Application Support', FOLDER_NAME);
  }
  const dataHome = system.environment['XDG_DATA_HOME'];
  // The XDG base directory specification: a relative path in the variable is invalid and ignored.
  if (dataHome !== undefined && posix.isAbsolute(dataHome)) return posix.join(dataHome, FOLDER_NAME);
  return posix.join(requireHome(system), '.local', 'share', FOLDER_NAME);
}

function windowsBase(system: SystemFacts): string {
  const local = system.environment['LOCALAPPDATA'];
  if (local !== undefined && win32.isAbsolute(local)) return local;
  return win32.join(requireHome(system), 'AppData', 'Local');
}

function requireHome(system: SystemFacts): string {
  if (system.home !== '') return system.home;
  throw new ConfigurationError('there is no home folder to keep the development CA in', {
    code: STORE_CODE,
    hint: 'set HFACE_DATA_DIR to a folder that you can write',
  });
}

const FOLDER_NAME = 'hface-ts';
