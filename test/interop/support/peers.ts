/**
 * The real peers of the interop tests: whether they are there, and how those that listen are started.
 *
 * Everything listens on loopback, in a folder of its own, and is ended by its process id.
 *
 * @module
 */
import { accessSync, constants, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openDevelopmentCa } from '../../../src/certificates/index.ts';
import { startChild } from '../../support/child.ts';
import type { RunningChild } from '../../support/child.ts';

/** Where a program is, or `undefined`. Debian keeps daemons outside the path of users. */
export function findProgram(name: string): string | undefined {
  for (const folder of [...(process.env['PATH'] ?? '').split(path.delimiter), '/usr/sbin']) {
    const file = path.join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not there: the next folder.
    }
  }
  return undefined;
}

/** A folder for one test file, with a CA of its own and a certificate for localhost. */
export interface Workshop {
  readonly folder: string;
  readonly caFile: string;
  readonly caPem: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly certPem: string;
  readonly keyPem: string;
  dispose(): void;
}

/** Makes a workshop. */
export async function openWorkshop(): Promise<Workshop> {
  const folder = mkdtempSync(path.join(tmpdir(), 'hface-ts-interop-'));
  const ca = await openDevelopmentCa({ directory: path.join(folder, 'ca') });
  const leaf = await ca.issue();
  const file = (name: string, text: string): string => {
    const target = path.join(folder, name);
    writeFileSync(target, text, { mode: 0o600 });
    return target;
  };
  return {
    folder,
    caPem: ca.certificatePem,
    caFile: file('ca.pem', ca.certificatePem),
    certPem: leaf.certPem,
    keyPem: leaf.keyPem,
    certFile: file('cert.pem', leaf.certPem),
    keyFile: file('key.pem', leaf.keyPem),
    dispose: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** A server of somebody else's. */
export interface ForeignServer {
  readonly http: string;
  readonly https: string;
  stop(): Promise<void>;
}

/** nginx with the files of `root`; `/redirect` leads to `/hello.txt`, `/chunked/` compresses, `/teapot` is 418. */
export async function startNginx(program: string, workshop: Workshop, root: string): Promise<ForeignServer> {
  const folder = path.join(workshop.folder, 'nginx');
  mkdirSync(folder);
  const [http, https] = [await freePort(), await freePort()];
  const config = path.join(folder, 'nginx.conf');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join('\n');
  writeFileSync(
    config,
    `daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr notice;
    events { worker_connections 128; }
    http {
      ${temporary}
      access_log off; default_type application/octet-stream; client_max_body_size 8m;
      server {
        listen 127.0.0.1:${http};
        listen 127.0.0.1:${https} ssl;
        ssl_certificate ${workshop.certFile}; ssl_certificate_key ${workshop.keyFile};
        root ${root};
        location = /redirect { return 302 /hello.txt; }
        location = /loop { return 302 /loop; }
        location = /teapot { return 418 "short and stout"; }
        location /packed/ { alias ${root}/; gzip on; gzip_min_length 1; gzip_types *; }
        location = /close { keepalive_timeout 0; return 200 "bye"; }
      }
    }`,
  );
  const child = startChild(program, ['-c', config, '-p', folder], { timeout: 110_000 });
  await untilOpen(http, child);
  return {
    http: `http://localhost:${http}`,
    https: `https://localhost:${https}`,
    stop: () => child.stop().then(() => undefined),
  };
}

/** Caddy with the files of `root`, HTTP/1.1 alone. */
export async function startCaddy(program: string, workshop: Workshop, root: string): Promise<ForeignServer> {
  const folder = path.join(workshop.folder, 'caddy');
  mkdirSync(folder);
  const [http, https] = [await freePort(), await freePort()];
  const config = path.join(folder, 'Caddyfile');
  const site = `root * ${root}\n encode gzip\n respond /teapot "short and stout" 418\n redir /redirect /hello.txt 302\n file_server`;
  writeFileSync(
    config,
    `{\n admin off\n auto_https off\n default_bind 127.0.0.1\n servers {\n  protocols h1\n }\n}
http://localhost:${http} {\n ${site}\n}
https://localhost:${https} {\n tls ${workshop.certFile} ${workshop.keyFile}\n ${site}\n}\n`,
  );
  const env = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  const child = startChild(program, ['run', '--config', config, '--adapter', 'caddyfile'], { timeout: 110_000, env });
  await untilOpen(http, child);
  await untilOpen(https, child);
  return {
    http: `http://localhost:${http}`,
    https: `https://localhost:${https}`,
    stop: () => child.stop().then(() => undefined),
  };
}

/** Waits until something listens there. */
export async function untilOpen(port: number, child: RunningChild): Promise<void> {
  const { connect } = await import('node:net');
  for (let attempt = 0; attempt < 200; attempt++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => {
        resolve(false);
      });
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nothing listens on ${port}:\n${child.output()}`);
}
