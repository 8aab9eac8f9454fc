/**
 * The mistakes of a first day. Each gets at most three lines, the cause, the place and the next command, the right exit
 * code, and never a stack trace.
 *
 * Those that a machine cannot be brought to make (a port below 1024 as root, no IPv6) are played by networking that
 * refuses as the system would; all others are made by the built command.
 *
 * @module
 */
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdirSync } from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../cli/main.ts';
import { NetworkError } from '../../src/common/index.ts';
import { SystemNetworking } from '../../src/networking/index.ts';
import { runChild } from '../support/child.ts';
import { makeCertificate } from '../support/test-certificates.ts';
import { TestContext } from '../unit/cli/test-context.ts';
import { CommandFolder, script } from './support/cli.ts';

const commands = new CommandFolder();
let busy: net.Server;
let secure: https.Server;
let busyPort = 0;
let securePort = 0;

const app = 'export default () => new Response("ok\\n");\n';

beforeAll(async () => {
  commands.write('app.js', app);
  commands.write('syntax.js', 'export default () => {\n  return new Response(\n};\n');
  commands.write('throws.js', 'const settings = undefined;\nconsole.error = settings.log;\n');
  commands.write('ends.js', 'process.exit(7);\n');
  commands.write('missing-package.js', 'import express from "expresss";\nexport default express();\n');
  commands.write('missing-file.js', 'import "./routes.js";\n');
  commands.write('wrong-name.js', 'export const hello = () => new Response();\nexport const port = 80;\n');
  commands.write('no-function.js', 'export default { get: "/" };\n');
  commands.write(
    'express.js',
    'const app = (q, s, n) => n();\napp.handle = () => {};\napp.set = () => {};\nexport default app;\n',
  );
  commands.write('asgi.js', 'export default async (scope, receive, send) => { await send({}); };\n');
  commands.write('app.ts', 'const answer: string = "ok";\nexport default () => new Response(answer);\n');
  commands.write('page.html', '<p>page</p>');
  commands.write('engine.js', 'export function register() { throw new Error("no engine today"); }\n');
  commands.write('no-engine.js', 'export const nothing = 1;\n');
  commands.write('files/a.txt', 'a');
  mkdirSync(commands.path('empty'));

  const root = makeCertificate({ authority: true });
  const good = makeCertificate({ issuer: root });
  const other = makeCertificate({ issuer: root });
  const old = makeCertificate({ issuer: root, notAfter: new Date(Date.now() - 86_400_000) });
  commands.write('root.pem', root.certPem);
  commands.write('cert.pem', good.cert);
  commands.write('key.pem', good.key);
  commands.write('other-key.pem', other.key);
  commands.write('old.pem', old.cert);
  commands.write('old-key.pem', old.key);
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' },
  });
  commands.write('locked.pem', privateKey);

  busy = net.createServer((socket) => socket.destroy());
  secure = https.createServer(good, (_request, response) => response.end('secret'));
  for (const server of [busy, secure]) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  busyPort = (busy.address() as AddressInfo).port;
  securePort = (secure.address() as AddressInfo).port;
});

afterAll(async () => {
  secure.closeAllConnections();
  await Promise.all([busy, secure].map((server) => new Promise((resolve) => server.close(resolve))));
  await commands.close();
});

/** What a mistake must say. */
interface Lesson {
  readonly code: number;
  readonly cause: RegExp;
  readonly place?: RegExp | undefined;
  /** What the last line begins with behind `try: `. Every mistake has one unless this is false. */
  readonly next?: RegExp | false;
}

function expectLesson(result: { code: number | null; stdout: string; stderr: string }, lesson: Lesson): void {
  const { code, stdout, stderr } = result;
  expect({ code, stdout }, stderr).toEqual({ code: lesson.code, stdout: '' });
  expect(stderr).not.toMatch(/^\s+at .*:\d+:\d+|node:internal/m);
  const lines = stderr.trimEnd().split('\n');
  expect(lines.length, stderr).toBeLessThanOrEqual(3);
  expect(lines[0]).toMatch(/^hface-ts: /);
  expect(lines[0]).toMatch(lesson.cause);
  const place = lines.find((line) => line.startsWith('  at '));
  const next = lines.find((line) => line.startsWith('  try: '));
  expect(lines.length).toBe(1 + (place === undefined ? 0 : 1) + (next === undefined ? 0 : 1));
  if (lesson.place !== undefined) expect(place?.slice(5)).toMatch(lesson.place);
  if (lesson.next !== false) expect(next?.slice(7)).toMatch(lesson.next ?? /\S/);
}

/** Port numbers are known only when the tests run. */
const port = '{busy}';
const tlsPort = '{tls}';
function filledIn(words: readonly string[]): string[] {
  return words.map((word) => word.replace(port, String(busyPort)).replace(tlsPort, String(securePort)));
}

const typing: readonly (readonly [string, readonly string[], Lesson])[] = [
  [
    'a misspelt command',
    ['sever', 'app.js'],
    { code: 2, cause: /no command sever: did you mean server\?/, next: /^hface-ts server app\.js$/ },
  ],
  ['no command', ['--port', '80'], { code: 2, cause: /a command stands first/, next: /^hface-ts --help$/ }],
  [
    'a URL as the command',
    ['https://localhost/'],
    { code: 2, cause: /no command https/, next: /^hface-ts client https/ },
  ],
  [
    'a misspelt option',
    ['server', 'app.js', '--prot', '80'],
    { code: 2, cause: /unknown option --prot: did you mean --port\?/ },
  ],
  ['one dash too few', ['server', 'app.js', '-port', '80'], { code: 2, cause: /option --port cannot be "ort"/ }],
  [
    'an unknown option',
    ['client', '--frobnicate', 'x'],
    { code: 2, cause: /unknown option --frobnicate/, next: /^hface-ts client --help/ },
  ],
  [
    "an option of curl's that there is not",
    ['client', '--proxy', 'x', 'y'],
    { code: 2, cause: /--proxy is an option of curl that hface-ts client does not have/ },
  ],
  ["a letter of curl's that there is not", ['client', '-x', 'a:b', 'y'], { code: 2, cause: /-x is an option of curl/ }],
  [
    'an option without its value',
    ['client', '-d'],
    { code: 2, cause: /option -d needs a value/, next: /^hface-ts client -d DATA$/ },
  ],
  [
    'a misspelt choice',
    ['server', 'app.js', '--log-format', 'jsn'],
    { code: 2, cause: /option --log-format cannot be "jsn"/, next: /^--log-format json$/ },
  ],
  ['no app', ['server'], { code: 2, cause: /needs an app or a folder/, next: /^hface-ts server APP\|DIR/ }],
  ['no URL', ['client', '-v'], { code: 2, cause: /needs a URL/ }],
  [
    'a bad endpoint',
    ['server', 'app.js', 'localhost:http'],
    { code: 2, cause: /"localhost:http" is no endpoint/, next: /https:\/\/localhost:5443/ },
  ],
  [
    'a port that is none',
    ['server', 'app.js', '-p', '80800'],
    { code: 2, cause: /option --port cannot be "80800"/, next: /65535/ },
  ],
  [
    'an unknown implementation',
    ['server', 'app.js', '--http1-impl', 'hfac'],
    { code: 2, cause: /option --http1-impl cannot be "hfac"/, next: /^--http1-impl hface$/ },
  ],
  [
    'no worker at all',
    ['server', 'app.js', '--workers', '0'],
    { code: 2, cause: /option --workers cannot be "0"/, next: /^a whole number from 1 to 256, or --workers auto/ },
  ],
  [
    'a number of workers that is none',
    ['server', 'app.js', '--workers', 'abc'],
    { code: 2, cause: /option --workers cannot be "abc"/, next: /^a whole number from 1 to 256, or --workers auto/ },
  ],
  [
    '--watch with --workers',
    ['server', 'app.js', '--workers', '2', '--watch'],
    { code: 2, cause: /--watch restarts one process, --workers runs several/ },
  ],
  [
    '--watch of a package export',
    ['server', 'hface-ts/examples/hello', '--watch'],
    {
      code: 2,
      cause: /--watch is for a file, and hface-ts\/examples\/hello is a package export/,
      next: /FILE --watch$/,
    },
  ],
  [
    '--watch of a folder',
    ['server', 'files', '--watch'],
    { code: 2, cause: /--watch is for apps: the files of a folder are served/, next: /^hface-ts server files$/ },
  ],
  [
    'completion for no shell',
    ['completion'],
    { code: 2, cause: /needs a shell: bash, zsh, fish/, next: /^hface-ts completion bash\|zsh\|fish$/ },
  ],
  [
    'completion for another shell',
    ['completion', 'zhs'],
    { code: 2, cause: /no completion for "zhs"/, next: /^hface-ts completion zsh$/ },
  ],
  ['--list for an app', ['server', 'app.js', '--list'], { code: 2, cause: /--list is for folders/ }],
];

const apps: readonly (readonly [string, readonly string[], Lesson])[] = [
  [
    'a file that is not there',
    ['server', 'ap.js'],
    { code: 1, cause: /no file, folder or package export named ap\.js/, next: /^hface-ts server app\.js$/ },
  ],
  ['an empty folder', ['server', 'empty'], { code: 1, cause: /the folder is empty/, place: /empty$/ }],
  [
    'a page as the app',
    ['server', 'page.html'],
    { code: 1, cause: /no JavaScript: page\.html/, next: /^hface-ts server .* serves the files/ },
  ],
  [
    'a syntax error',
    ['server', 'syntax.js'],
    { code: 1, cause: /syntax error in the app: /, place: /syntax\.js:3$/, next: false },
  ],
  [
    'an app that throws while it is loaded',
    ['server', 'throws.js'],
    { code: 1, cause: /failed while it was loaded: TypeError: /, place: /throws\.js:2$/ },
  ],
  [
    'a package that is not installed',
    ['server', 'missing-package.js'],
    {
      code: 1,
      cause: /imports expresss, which is not there/,
      place: /missing-package\.js$/,
      next: /^npm install expresss$/,
    },
  ],
  [
    'a module that is not there',
    ['server', 'missing-file.js'],
    { code: 1, cause: /imports routes\.js, which is not there/, place: /missing-file\.js$/ },
  ],
  [
    'an app under another name',
    ['server', 'wrong-name.js'],
    {
      code: 1,
      cause: /exports no app, only hello \(function\), port \(number\)/,
      place: /wrong-name\.js$/,
      next: /default, app, application, handler/,
    },
  ],
  [
    'a wrong export',
    ['server', 'app.js:admin'],
    { code: 1, cause: /exports no app named admin, only default \(function\)/ },
  ],
  [
    'an export that is no function',
    ['server', 'no-function.js'],
    { code: 1, cause: /exports no app, only default \(object\)/ },
  ],
  [
    'an Express app',
    ['server', 'express.js'],
    {
      code: 1,
      cause: /Express apps \(Node-style\) are not supported yet/,
      place: /express\.js$/,
      next: /export a Fetch-style app/,
    },
  ],
  [
    'a syntax error, for several workers',
    ['server', 'syntax.js', '-p', '0', '--workers', '2'],
    { code: 1, cause: /syntax error in the app: /, place: /syntax\.js:3$/, next: false },
  ],
  [
    'an app that ends while it is loaded, for several workers',
    ['server', 'ends.js', '-p', '0', '--workers', '2'],
    {
      code: 1,
      cause: /a worker ended 5 times before it served: exit code 7/,
      place: /ends\.js$/,
      next: /^hface-ts server ends\.js, in one process$/,
    },
  ],
  [
    'a file that is not there, watched',
    ['server', 'ap.js', '--watch'],
    { code: 1, cause: /no file, folder or package export named ap\.js/, next: /^hface-ts server app\.js$/ },
  ],
  [
    'an engine module that throws',
    ['server', 'app.js', '--engine-module', 'engine.js'],
    { code: 1, cause: /the engine module failed in register: no engine today/, place: /engine\.js:1$/, next: false },
  ],
  [
    'an engine module that registers nothing',
    ['client', 'x', '--engine-module', 'no-engine.js'],
    { code: 1, cause: /registered no implementation/, place: /no-engine\.js$/ },
  ],
];

const listening: readonly (readonly [string, readonly string[], Lesson])[] = [
  [
    'a busy port',
    ['server', 'app.js', `127.0.0.1:${port}`],
    {
      code: 1,
      cause: /127\.0\.0\.1:\d+: the address is in use/,
      next: /^end the server that has it, or hface-ts server app\.js -p 8080$/,
    },
  ],
  [
    'a busy port, for several workers',
    ['server', 'app.js', `127.0.0.1:${port}`, '--workers', '2'],
    { code: 1, cause: /127\.0\.0\.1:\d+: the address is in use/, next: /^end the server that has it, or / },
  ],
  [
    'an address of another machine',
    ['server', 'app.js', 'http://192.0.2.1:0'],
    { code: 1, cause: /does not have the address/, next: /hface-ts server app\.js http:\/\/127\.0\.0\.1:5080$/ },
  ],
  [
    'a socket in no folder',
    ['server', 'app.js', 'unix:/no/such/folder/app.sock'],
    { code: 1, cause: /no such file or folder/, next: /^make the folder/ },
  ],
  [
    'a name that is not ours to certify',
    ['server', 'app.js', 'https://example.com:0'],
    {
      code: 1,
      cause: /may not sign example\.com/,
      place: /^example\.com$/,
      next: /^--cert FILE --key FILE, or leave https out: -p 5080$/,
    },
  ],
];

const tls = ['https://localhost:0'];
const certificates: readonly (readonly [string, readonly string[], Lesson])[] = [
  [
    'a certificate that is not there',
    ['server', 'app.js', ...tls, '--cert', 'none.pem', '--key', 'key.pem'],
    { code: 1, cause: /there is no certificate file .*none\.pem/ },
  ],
  [
    'a certificate without a key',
    ['server', 'app.js', ...tls, '--cert', 'cert.pem'],
    { code: 2, cause: /--cert needs --key/ },
  ],
  [
    'certificate and key swapped, for several workers',
    ['server', 'app.js', ...tls, '--cert', 'key.pem', '--key', 'cert.pem', '--workers', '2'],
    { code: 1, cause: /key\.pem holds the key and .*cert\.pem the certificate/, next: /^swap the two$/ },
  ],
  [
    'certificate and key swapped',
    ['server', 'app.js', ...tls, '--cert', 'key.pem', '--key', 'cert.pem'],
    { code: 1, cause: /key\.pem holds the key and .*cert\.pem the certificate/, next: /^swap the two$/ },
  ],
  [
    "another certificate's key",
    ['server', 'app.js', ...tls, '--cert', 'cert.pem', '--key', 'other-key.pem'],
    { code: 1, cause: /other-key\.pem does not belong to .*cert\.pem/ },
  ],
  [
    'an expired certificate',
    ['server', 'app.js', ...tls, '--cert', 'old.pem', '--key', 'old-key.pem'],
    { code: 1, cause: /old\.pem has expired on \d{4}-/ },
  ],
  [
    'an encrypted key',
    ['server', 'app.js', ...tls, '--cert', 'cert.pem', '--key', 'locked.pem'],
    { code: 1, cause: /locked\.pem is encrypted, and there is no passphrase/, next: /^--passphrase-file FILE$/ },
  ],
  [
    'a certificate for http',
    ['server', 'app.js', '5080', '--cert', 'cert.pem', '--key', 'key.pem'],
    { code: 2, cause: /--cert is for TLS, and no endpoint is https/ },
  ],
  [
    'a file of authorities that holds none',
    ['server', 'app.js', ...tls, '--client-ca', 'app.js'],
    { code: 1, cause: /the file of authorities holds no certificate/, place: /app\.js$/ },
  ],
  [
    'names without files',
    ['cert', 'localhost'],
    { code: 2, cause: /needs files to go to/, next: /^hface-ts cert localhost --cert/ },
  ],
];

const requests: readonly (readonly [string, readonly string[], Lesson])[] = [
  [
    'a server that is not running',
    ['client', 'localhost:1'],
    { code: 7, cause: /connection refused/, place: /^http:\/\/localhost:1\/$/, next: /^start the server/ },
  ],
  ['a host that nobody knows', ['client', 'no-such-host.invalid'], { code: 6, cause: /no-such-host\.invalid/ }],
  [
    'an authority that is not trusted',
    ['client', `https://127.0.0.1:${tlsPort}/`],
    { code: 60, cause: /authority that is not trusted/, next: /^--cacert FILE/ },
  ],
  [
    'a certificate for another name',
    ['client', '--cacert', 'root.pem', `https://other.localhost:${tlsPort}/`],
    { code: 60, cause: /other\.localhost/ },
  ],
  [
    'https to a server without TLS',
    ['client', `https://127.0.0.1:${port}/`],
    { code: 35, cause: /TLS with 127\.0\.0\.1/, next: false },
  ],
  ['http to a server with TLS', ['client', `http://127.0.0.1:${tlsPort}/`], { code: 0, cause: /./, next: false }],
  ['a bad URL', ['client', 'http://['], { code: 3, cause: /"http:\/\/\[" is no URL/ }],
  [
    'a protocol that there is not',
    ['client', 'ftp://localhost/'],
    { code: 1, cause: /no protocol ftp here/, next: false },
  ],
  [
    'a body that cannot be read',
    ['client', '-d', '@none.json', 'localhost'],
    { code: 26, cause: /cannot read what to send: no such file/, place: /none\.json$/ },
  ],
  [
    'a field that is none',
    ['client', '-H', 'accept json', 'localhost'],
    { code: 2, cause: /-H "accept json" is no field/, next: /^-H 'name: value'$/ },
  ],
  [
    'a variable that -w lacks',
    ['client', '-w', '%{http_cod}', 'localhost'],
    { code: 2, cause: /-w has no variable %\{http_cod\}/, next: /%\{http_code\}/ },
  ],
  [
    'two URLs and one -o',
    ['client', '-o', 'a', 'localhost/a', 'localhost/b'],
    { code: 2, cause: /there are 2 URLs and 1 -o/ },
  ],
  [
    '-O with nothing to name a file by',
    ['client', '-O', 'http://localhost/'],
    { code: 23, cause: /ends with no name for a file/, next: /^-o FILE$/ },
  ],
  [
    'a user without a password',
    ['client', '-u', 'me', 'localhost'],
    { code: 2, cause: /-u needs a user and a password/, next: /^-u me:PASSWORD$/ },
  ],
];

describe('mistakes of a first day', () => {
  const rows = [...typing, ...apps, ...listening, ...certificates, ...requests].filter(
    ([name]) => name !== 'http to a server with TLS',
  );

  it.each(rows)('%s', async (_name, words, lesson) => {
    expectLesson(await commands.run(filledIn(words)), lesson);
  });

  it('are more than thirty', () => {
    expect(rows.length).toBeGreaterThanOrEqual(30);
  });

  it('TypeScript on a Node that does not run it', async () => {
    const result = await commands.run(['server', 'app.ts', '-p', '0', '--drain-timeout', '0'], { timeout: 4_000 });
    const features = process.features as { readonly typescript?: unknown };
    const runs = features.typescript !== undefined && features.typescript !== false;
    if (runs) expect(result.stderr).toContain('serving app.ts');
    else
      expectLesson(result, {
        code: 1,
        cause: /does not run TypeScript/,
        place: /app\.ts$/,
        next: /^compile it .* Node 22\.18/,
      });
  });

  it('an ASGI-style app that does not say so: a remark at the start, one line at the failure', async () => {
    const { child, urls } = await commands.serve(['asgi.js', '-p', '0']);
    expect(child.output()).toMatch(/three arguments: if it is ASGI-style, add --app-style asgi/);
    expect((await fetch(urls[0] ?? '')).status).toBe(500);
    await child.waitFor(/^error: the app failed error="TypeError: send is not a function" at=.*asgi\.js:1 .*$/m);
    expect(await child.stop()).toMatchObject({ code: 0 });
    expect(child.output()).not.toMatch(/^\s+at /m);
  });

  it('a data folder that cannot be written', async () => {
    commands.write('a-file', '');
    const words = ['server', 'app.js', 'https://localhost:0'];
    const lesson = { code: 1, cause: /a-file/, next: /HFACE_DATA_DIR.* -p 5080/ };
    expectLesson(await commands.run(words, { env: { HFACE_DATA_DIR: commands.path('a-file/data') } }), lesson);
  });

  it.skipIf(process.platform === 'win32')('a home that cannot be written', async () => {
    const home = commands.path('home');
    mkdirSync(home);
    chmodSync(home, 0o555);
    const env = { HOME: home, HFACE_DATA_DIR: undefined, XDG_DATA_HOME: undefined };
    const words = [script, 'server', 'app.js', 'https://localhost:0'];
    // Root writes everywhere: then somebody else has to try. The package must be readable for that.
    const isRoot = process.getuid?.() === 0;
    const result = isRoot ? await asNobody(words, env) : await commands.run(words.slice(1), { env });
    expect(result !== undefined || isRoot).toBe(true);
    if (result === undefined) return;
    expectLesson(result, { code: 1, cause: /permission|denied|written/, next: /HFACE_DATA_DIR/ });
  });

  it('a port below 1024 without the right to it', async () => {
    const result = await withNetworking(
      ['server', 'app.js', 'https://localhost:443'],
      'ERR_ACCESS',
      'permission denied',
    );
    expectLesson(result, {
      code: 1,
      cause: /permission denied/,
      next: /^ports below 1024 need rights; hface-ts server .*app\.js 5080 https:\/\/localhost:5443$/,
    });
  });

  it('an IPv6 address on a machine without IPv6', async () => {
    const words = ['server', 'app.js', 'http://[::1]:5080'];
    const result = await withNetworking(
      words,
      'ERR_ADDRESS_NOT_AVAILABLE',
      'this machine does not have the address family',
    );
    expectLesson(result, {
      code: 1,
      cause: /address family/,
      next: /^an address of this machine: hface-ts server .*app\.js http:\/\/127\.0\.0\.1:5080$/,
    });
  });

  it('http to a server with TLS, told by what it sends back', async () => {
    const result = await commands.run(['client', `http://127.0.0.1:${securePort}/`]);
    expect([1, 52, 56]).toContain(result.code);
    expect(result.stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(3);
  });
});

/** Runs the command with networking that cannot listen. */
async function withNetworking(
  words: readonly string[],
  code: string,
  reason: string,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const networking = new SystemNetworking();
  networking.listenTcp = async ({ endpoint }) => {
    throw new NetworkError(`cannot listen on ${endpoint.scheme}://${endpoint.host}:${endpoint.port}: ${reason}`, {
      code,
      phase: 'listen',
    });
  };
  const context = new TestContext({
    directory: commands.folder,
    environment: { HFACE_DATA_DIR: commands.path('data') },
    networking,
  });
  // The app is found from the folder of the context, and imported by its whole path.
  const exit = await main(
    words.map((word) => (word === 'app.js' ? commands.path(word) : word)),
    context,
  );
  return { code: exit, stdout: context.stdout, stderr: context.stderr };
}

/** Runs node as a user without rights; `undefined` where that user cannot read the package either. */
async function asNobody(
  words: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<{ code: number | null; stdout: string; stderr: string } | undefined> {
  chmodSync(commands.folder, 0o755);
  const flags = ['--reuid=65534', '--regid=65534', '--clear-groups'];
  const readable = await runChild('setpriv', [...flags, process.execPath, script, '--version'], {
    cwd: commands.folder,
  });
  if (readable.code !== 0) return undefined;
  return runChild('setpriv', [...flags, process.execPath, ...words], { cwd: commands.folder, env });
}
