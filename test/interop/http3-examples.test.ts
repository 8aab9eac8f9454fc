/**
 * The example of HTTP/3, as a user runs it.
 *
 * @module
 */
import { afterAll, describe, expect, it } from 'vitest';
import { runNode } from '../support/child.ts';
import { CommandFolder } from './support/cli.ts';

const commands = new CommandFolder();
afterAll(() => commands.close());

describe('programs over HTTP/3', () => {
  it('http3', async () => {
    const { code, stdout, stderr } = await runNode(['examples/http3.js'], { env: commands.environment });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n')).toEqual([
      'first visit: Hello, late HTTP/3, resumed: false',
      'second visit: Hello, early HTTP/3, resumed: true',
      'order: 200 Hello, late',
      'connections that moved: 1',
      'echoed: true on connection true',
      '',
    ]);
  });
});
