/**
 * Servers of others that speak HTTP/2, with TLS and with prior knowledge: nginx, Caddy, nghttpd, hypercorn.
 *
 * All have the files of `root`; nginx and Caddy hand `/digest` to an HTTP/1 server, which hypercorn is itself.
 *
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { startChild } from '../../support/child.ts';
import { freePort, untilOpen } from './peers.ts';
import type { ForeignServer, Workshop } from './peers.ts';

const PATIENCE = { timeout: 170_000 };

/** nginx. `backend`: the port of what answers `/digest`. */
export async function startHttp2Nginx(
  program: string,
  workshop: Workshop,
  root: string,
  backend: number,
): Promise<ForeignServer> {
  const folder = path.join(workshop.folder, 'nginx-http2');
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
      access_log off; default_type application/octet-stream; client_max_body_size 200m; keepalive_requests 50;
      server {
        listen 127.0.0.1:${http} http2;
        listen 127.0.0.1:${https} ssl http2;
        ssl_certificate ${workshop.certFile}; ssl_certificate_key ${workshop.keyFile};
        root ${root};
        location = /teapot { return 418 "short and stout"; }
        location = /digest { proxy_pass http://127.0.0.1:${backend}; proxy_request_buffering off; proxy_http_version 1.1; }
      }
    }`,
  );
  const child = startChild(program, ['-c', config, '-p', folder], PATIENCE);
  await untilOpen(http, child);
  return server(http, https, () => child.stop());
}

/** Caddy. `backend`: as for nginx. */
export async function startHttp2Caddy(
  program: string,
  workshop: Workshop,
  root: string,
  backend: number,
): Promise<ForeignServer> {
  const folder = path.join(workshop.folder, 'caddy-http2');
  mkdirSync(folder);
  const [http, https] = [await freePort(), await freePort()];
  const config = path.join(folder, 'Caddyfile');
  const site = `root * ${root}\n respond /teapot "short and stout" 418\n reverse_proxy /digest 127.0.0.1:${backend}\n file_server`;
  writeFileSync(
    config,
    `{\n admin off\n auto_https off\n default_bind 127.0.0.1\n servers {\n  protocols h1 h2 h2c\n }\n}
http://localhost:${http} {\n ${site}\n}
https://localhost:${https} {\n tls ${workshop.certFile} ${workshop.keyFile}\n ${site}\n}\n`,
  );
  const env = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  const child = startChild(program, ['run', '--config', config, '--adapter', 'caddyfile'], { ...PATIENCE, env });
  await untilOpen(http, child);
  await untilOpen(https, child);
  return server(http, https, () => child.stop());
}

/** nghttpd: echoes uploads, has a trailer. */
export async function startNghttpd(program: string, workshop: Workshop, root: string): Promise<ForeignServer> {
  const [http, https] = [await freePort(), await freePort()];
  const common = ['--address=127.0.0.1', '-d', root, '--echo-upload', '--trailer', 'x-after: yes'];
  const plain = startChild(program, [...common, '--no-tls', String(http)], PATIENCE);
  const secure = startChild(program, [...common, String(https), workshop.keyFile, workshop.certFile], PATIENCE);
  await untilOpen(http, plain);
  await untilOpen(https, secure);
  return server(http, https, () => Promise.all([plain.stop(), secure.stop()]));
}

const ASGI_APP = `
import hashlib, os, mimetypes

async def app(scope, receive, send):
    if scope['type'] == 'lifespan':
        while True:
            message = await receive()
            await send({'type': message['type'] + '.complete'})
            if message['type'] == 'lifespan.shutdown':
                return
    if scope['type'] == 'websocket':
        await receive()
        await send({'type': 'websocket.accept'})
        while True:
            message = await receive()
            if message['type'] != 'websocket.receive':
                return
            await send({'type': 'websocket.send', 'text': message['text']})
    path = scope['path']
    if path == '/teapot':
        await send({'type': 'http.response.start', 'status': 418, 'headers': []})
        await send({'type': 'http.response.body', 'body': b'short and stout'})
        return
    if path == '/digest':
        digest = hashlib.sha256()
        while True:
            message = await receive()
            digest.update(message.get('body', b''))
            if not message.get('more_body'):
                break
        body = ('{"digest": "%s"}' % digest.hexdigest()).encode()
        await send({'type': 'http.response.start', 'status': 200, 'headers': [(b'x-version', scope['http_version'].encode())]})
        await send({'type': 'http.response.body', 'body': body})
        return
    file = os.path.join(os.environ['FILES'], path[1:])
    await send({'type': 'http.response.start', 'status': 200, 'headers': [(b'content-length', str(os.path.getsize(file)).encode())]})
    if scope['method'] != 'HEAD':
        with open(file, 'rb') as stream:
            while piece := stream.read(65536):
                await send({'type': 'http.response.body', 'body': piece, 'more_body': True})
    await send({'type': 'http.response.body', 'body': b''})
`;

/** hypercorn: an ASGI app in Python; WebSocket by extended CONNECT too. */
export async function startHypercorn(program: string, workshop: Workshop, root: string): Promise<ForeignServer> {
  const folder = path.join(workshop.folder, 'hypercorn');
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'peer.py'), ASGI_APP);
  const [http, https] = [await freePort(), await freePort()];
  const places = ['--bind', `127.0.0.1:${https}`, '--insecure-bind', `127.0.0.1:${http}`];
  const tls = ['--certfile', workshop.certFile, '--keyfile', workshop.keyFile];
  const env = { FILES: root, PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: '1' };
  const child = startChild(program, [...places, ...tls, 'peer:app'], { ...PATIENCE, cwd: folder, env });
  await untilOpen(http, child);
  await untilOpen(https, child);
  return server(http, https, () => child.stop());
}

function server(http: number, https: number, stop: () => Promise<unknown>): ForeignServer {
  return {
    http: `http://localhost:${http}`,
    https: `https://localhost:${https}`,
    stop: () => stop().then(() => undefined),
  };
}
