/**
 * Servers of files that are no programs of ours, and how each is told to serve a folder over HTTP/2.
 *
 * Owns their commands and configurations: one process, no log, nothing that is compressed.
 *
 * @module
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';

/** What is to be served where. */
export interface FileService {
  readonly port: number;
  /** For configurations. */
  readonly folder: string;
  readonly documents: string;
  /** Files in PEM, or `undefined` for HTTP/2 in clear with prior knowledge. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
}

/** A program that serves files. */
export interface FileServer {
  readonly program: string;
  command(service: FileService): readonly [string, ...string[]];
}

/** By name. */
export const fileServers: ReadonlyMap<string, FileServer> = new Map<string, FileServer>([
  [
    'nghttpd',
    {
      program: 'nghttpd',
      command: ({ port, documents, tls }) => [
        'nghttpd',
        ...['-a', '127.0.0.1', '-d', documents],
        ...(tls === undefined ? ['--no-tls', String(port)] : [String(port), tls.key, tls.cert]),
      ],
    },
  ],
  [
    'nginx',
    {
      program: 'nginx',
      command: ({ port, folder, documents, tls }) => {
        const file = path.join(folder, `nginx-${String(port)}.conf`);
        writeFileSync(
          file,
          `daemon off; master_process off; worker_processes 1; pid ${file}.pid; error_log stderr crit;
          events { worker_connections 1024; }
          http {
            access_log off; sendfile on; keepalive_requests 100000000; types { } default_type application/octet-stream;
            client_body_temp_path ${folder}/nginx-body; proxy_temp_path ${folder}/nginx-proxy;
            fastcgi_temp_path ${folder}/nginx-fastcgi; uwsgi_temp_path ${folder}/nginx-uwsgi;
            scgi_temp_path ${folder}/nginx-scgi;
            server {
              listen 127.0.0.1:${String(port)} ${tls === undefined ? '' : 'ssl '}http2;
              ${tls === undefined ? '' : `ssl_certificate ${tls.cert}; ssl_certificate_key ${tls.key};`}
              root ${documents};
            }
          }\n`,
        );
        return ['nginx', '-c', file];
      },
    },
  ],
  [
    'Caddy',
    {
      program: 'caddy',
      command: ({ port, folder, documents, tls }) => {
        const file = path.join(folder, `Caddyfile-${String(port)}`);
        const scheme = tls === undefined ? 'http' : 'https';
        writeFileSync(
          file,
          `{
            admin off
            auto_https off
            log {
              output discard
            }
            servers {
              protocols h1 h2 h2c
            }
          }
          ${scheme}://127.0.0.1:${String(port)} {
            bind 127.0.0.1
            ${tls === undefined ? '' : `tls ${tls.cert} ${tls.key}`}
            root * ${documents}
            file_server
          }\n`,
        );
        return ['caddy', 'run', '--config', file, '--adapter', 'caddyfile'];
      },
    },
  ],
]);
