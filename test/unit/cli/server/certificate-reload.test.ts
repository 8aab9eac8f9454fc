import { afterEach, describe, expect, it } from 'vitest';
import { CertificateReload } from '../../../../cli/server/certificate-reload.ts';
import type { ServerTls } from '../../../../cli/server/tls.ts';
import { ConfigurationError, lineLogger } from '../../../../src/common/index.ts';
import type { ServerTlsConfig, TlsIdentity } from '../../../../src/common/index.ts';
import { TestContext } from '../test-context.ts';

const open: CertificateReload[] = [];
afterEach(() => {
  for (const reload of open.splice(0)) reload.close();
});

/** A reload whose files are what `read` answers. */
function reloading(parts: Partial<ServerTls>): {
  readonly reload: CertificateReload;
  readonly context: TestContext;
  readonly applied: ServerTlsConfig[];
  readonly lines: string[];
} {
  const context = new TestContext();
  const applied: ServerTlsConfig[] = [];
  const lines: string[] = [];
  const tls = {
    config: { cert: 'c1', key: 'k1' },
    caFile: undefined,
    keylog: undefined,
    source: undefined,
    renew: undefined,
  };
  const logger = lineLogger('debug', (line) => lines.push(line));
  const reload = new CertificateReload({ ...tls, ...parts }, context, logger, (config) => {
    if (config.cert === 'refused') throw new Error('no start line');
    applied.push(config);
  });
  open.push(reload);
  return { reload, context, applied, lines };
}

describe('CertificateReload', () => {
  it('takes what is new, and says what is not only to those who ask', async () => {
    const answers: ServerTlsConfig[] = [
      { cert: 'c1', key: 'k1' },
      { cert: 'c1', key: 'k1' },
      { cert: 'c2', key: 'k2', ca: ['a'] },
    ];
    const source = { files: ['/none/cert.pem', '/none/key.pem'], read: async () => answers.shift() as ServerTlsConfig };
    const { reload, applied, lines } = reloading({ source });
    await reload.reload(false);
    expect({ applied, lines }).toEqual({ applied: [], lines: [] });
    await reload.reload(true);
    expect(lines).toEqual(['info: the certificate is the one in use file=/none/cert.pem']);
    await reload.reload(false);
    expect(applied).toEqual([{ cert: 'c2', key: 'k2', ca: ['a'] }]);
    expect(lines[1]).toBe('info: new connections get the new certificate file=/none/cert.pem');
  });

  it('keeps the old one, and complains once of one mistake', async () => {
    const answers: (ServerTlsConfig | Error)[] = [
      new ConfigurationError('the key does not belong to it', { hint: 'swap the two' }),
      new ConfigurationError('the key does not belong to it', { hint: 'swap the two' }),
      { cert: 'refused', key: 'k' },
      { cert: 'c1', key: 'k1' },
      new ConfigurationError('the key does not belong to it', { hint: 'swap the two' }),
    ];
    const read = async (): Promise<ServerTlsConfig> => {
      const answer = answers.shift() ?? new Error('there is no further answer');
      if (answer instanceof Error) throw answer;
      return answer;
    };
    const { reload, applied, lines } = reloading({ source: { files: ['/none/cert.pem'], read } });
    const complaint = 'warn: the old certificate stays in use: the key does not belong to it try="swap the two"';
    await reload.reload(false);
    await reload.reload(false);
    expect(lines).toEqual([complaint]);
    await reload.reload(false);
    expect(lines[1]).toBe('warn: the old certificate stays in use: no start line');
    await reload.reload(false);
    await reload.reload(false);
    expect(lines).toEqual([complaint, lines[1], complaint]);
    expect(applied).toEqual([]);
  });

  it('is asked by the context, one at a time, and not after the end', async () => {
    let reading = 0;
    let most = 0;
    let reads = 0;
    const read = async (): Promise<ServerTlsConfig> => {
      reads += 1;
      reading += 1;
      most = Math.max(most, reading);
      await new Promise((resolve) => setImmediate(resolve));
      reading -= 1;
      return { cert: `c${String(reads)}`, key: 'k' };
    };
    const { reload, context, applied } = reloading({ source: { files: ['/none/cert.pem'], read } });
    context.reload();
    context.reload();
    await reload.reload(true);
    expect({ most, reads }).toEqual({ most: 1, reads: 3 });
    const last = reload.reload(true);
    reload.close();
    context.reload();
    await last;
    expect(applied).toHaveLength(3);
  });

  it('takes a development certificate that was renewed, and keeps the rest', async () => {
    let latest: TlsIdentity | undefined;
    const { reload, context, applied } = reloading({
      config: { cert: 'c1', key: 'k1', clientCertificate: 'request' },
      renew: async () => latest,
    });
    await reload.renew();
    latest = { cert: 'c2', key: 'k2' };
    await reload.renew();
    await reload.renew();
    context.reload();
    expect(applied).toEqual([{ cert: 'c2', key: 'k2', clientCertificate: 'request' }]);
    reload.close();
    latest = { cert: 'c3', key: 'k3' };
    await reload.renew();
    expect(applied).toHaveLength(1);
  });
});
