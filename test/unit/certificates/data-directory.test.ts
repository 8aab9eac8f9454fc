import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { developmentDataDirectory } from '../../../src/certificates/index.ts';
import { configurationError } from './support.ts';

const home = '/home/ada';

describe('the data folder', () => {
  it.each([
    ['linux', {}, home, '/home/ada/.local/share/hface-ts'],
    ['linux', { XDG_DATA_HOME: '/data' }, home, '/data/hface-ts'],
    ['linux', { XDG_DATA_HOME: 'relative' }, home, '/home/ada/.local/share/hface-ts'],
    ['linux', { XDG_DATA_HOME: '' }, home, '/home/ada/.local/share/hface-ts'],
    ['freebsd', { XDG_DATA_HOME: '/data' }, '', '/data/hface-ts'],
    ['darwin', { XDG_DATA_HOME: '/data' }, '/Users/ada', '/Users/ada/Library/Application Support/hface-ts'],
    ['win32', { LOCALAPPDATA: 'D:\\Local' }, 'C:\\Users\\ada', 'D:\\Local\\hface-ts'],
    ['win32', {}, 'C:\\Users\\ada', 'C:\\Users\\ada\\AppData\\Local\\hface-ts'],
    ['win32', { LOCALAPPDATA: 'Local' }, 'C:\\Users\\ada', 'C:\\Users\\ada\\AppData\\Local\\hface-ts'],
  ])('on %s with %j and home %s is %s', (platform, environment, place, expected) => {
    expect(developmentDataDirectory(undefined, { platform, environment, home: place })).toBe(expected);
  });

  it('is HFACE_DATA_DIR before all of these, and the option before that', () => {
    const system = { platform: 'linux', environment: { HFACE_DATA_DIR: '/mine', XDG_DATA_HOME: '/data' }, home };
    expect(developmentDataDirectory(undefined, system)).toBe(resolve('/mine'));
    expect(developmentDataDirectory('', system)).toBe(resolve('/mine'));
    expect(developmentDataDirectory('here', system)).toBe(join(process.cwd(), 'here'));
    const empty = { ...system, environment: { HFACE_DATA_DIR: '' } };
    expect(developmentDataDirectory(undefined, empty)).toBe('/home/ada/.local/share/hface-ts');
  });

  it.each(['linux', 'darwin', 'win32'])('on %s without a home is an error that says what to set', async (platform) => {
    const none = async (): Promise<string> =>
      developmentDataDirectory(undefined, { platform, environment: {}, home: '' });
    const error = await configurationError(none());
    expect(error.code).toBe('ERR_CERTIFICATE_STORE');
    expect(error.hint).toBe('set HFACE_DATA_DIR to a folder that you can write');
  });
});
