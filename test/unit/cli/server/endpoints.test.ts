import { describe, expect, it } from 'vitest';
import { chooseEndpoints } from '../../../../cli/server/endpoints.ts';
import { serverCommand } from '../../../../cli/server/options.ts';
import { formatEndpoint } from '../../../../src/common/index.ts';
import { valuesOf } from '../option-values.ts';

async function chosen(words: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<string[]> {
  const values = await valuesOf(serverCommand, 'app.js', ...words);
  return chooseEndpoints(values.words.slice(1), values, environment).map(formatEndpoint);
}

describe('chooseEndpoints', () => {
  it.each([
    [[], {}, ['http://localhost:5080', 'https://localhost:5443']],
    [[], { PORT: '' }, ['http://localhost:5080', 'https://localhost:5443']],
    [[], { PORT: '9000' }, ['http://localhost:9000']],
    [['-p', '8000'], { PORT: '9000' }, ['http://localhost:8000']],
    [['-p', '0'], {}, ['http://localhost:0']],
    [['8080'], { PORT: '9000' }, ['http://localhost:8080']],
    [[':8080'], {}, ['http://localhost:8080']],
    [['-p', '8000', 'https://localhost:8443'], {}, ['http://localhost:8000', 'https://localhost:8443']],
    [['--host', '0.0.0.0'], {}, ['http://0.0.0.0:5080', 'https://0.0.0.0:5443']],
    [['--host', '::'], {}, ['http://[::]:5080', 'https://[::]:5443']],
    [['--host', '[::1]', '8080'], {}, ['http://[::1]:8080']],
    [['--host', 'a.localhost', '127.0.0.1:1', ':2'], {}, ['http://127.0.0.1:1', 'http://a.localhost:2']],
    [['unix:/run/a.sock', 'https+unix:/run/b.sock'], {}, ['http+unix:/run/a.sock', 'https+unix:/run/b.sock']],
    [['https://[::]:443'], {}, ['https://[::]:443']],
    [['0', '0'], {}, ['http://localhost:0', 'http://localhost:0']],
  ])('%j with %j: %j', async (words, environment, expected) => {
    expect(await chosen(words, environment)).toEqual(expected);
  });

  it.each([
    [['app2.js'], {}, '"app2.js" is no endpoint'],
    [['70000'], {}, '"70000" is no endpoint'],
    [['ftp://localhost:21'], {}, 'is no endpoint'],
    [['http://localhost:80/path'], {}, 'is no endpoint'],
    [['-p', '70000'], {}, 'option --port cannot be "70000"'],
    [['-p', ''], {}, 'option --port cannot be ""'],
    [['--host', 'localhost:5080'], {}, 'option --host cannot be "localhost:5080"'],
    [['--host', 'http://localhost'], {}, 'option --host cannot be'],
    [['--host', ''], {}, 'option --host cannot be ""'],
    [[], { PORT: 'abc' }, 'the variable PORT is "abc", which is no port'],
    [[], { PORT: '65536' }, 'which is no port'],
    [['5080', ':5080'], {}, 'the endpoint http://localhost:5080 is already taken'],
    [['-p', '5080', 'https://localhost:5080'], {}, 'is already taken'],
    [['unix:/a', 'unix:/a'], {}, 'is already taken'],
  ])('%j with %j is a usage error: %s', async (words, environment, message) => {
    await expect(chosen(words, environment)).rejects.toThrow(message);
  });
});
