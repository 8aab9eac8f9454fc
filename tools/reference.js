/**
 * The parts of the documentation that are made from the source: options, variables and exit codes of the command line,
 * limits, errors. With --write the parts are written, without they are compared.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { errorCodes } from './lib/error-codes.js';
import { escaped, runGenerator, table } from './lib/generated-block.js';
import { root } from './lib/root.js';
import { source } from './lib/sources.js';

/** @typedef {import('./lib/generated-block.js').GeneratedBlock} GeneratedBlock */

/** @returns {Promise<GeneratedBlock[]>} what docs/cli.md has of the command line */
async function commandLine() {
  const page = 'docs/cli.md';
  const { meaning, spelling } = await source('cli/option-table.ts');
  const { exitCode, exitCodeMeanings } = await source('cli/client/exit-codes.ts');
  const { writeOutNames } = await source('cli/client/write-out.ts');
  const commands = await Promise.all(
    ['server', 'client', 'cert'].map(async (name) => (await source(`cli/${name}/options.ts`))[`${name}Command`]),
  );
  const options = commands.map((command) => ({
    page,
    name: `options of ${command.command}`,
    text: table(
      ['option', 'meaning'],
      command.options.map((/** @type {any} */ row) => [`\`${spelling(row)}\``, escaped(meaning(row))]),
    ),
  }));
  const codes = Object.entries(exitCode).map(([name, code]) => [String(code), exitCodeMeanings[name]]);
  const signals = ['130', 'Ctrl-C; 143 for SIGTERM'];
  const variables = writeOutNames.map((/** @type {string} */ name) => `\`%{${name}}\``).join(', ');
  return [
    ...options,
    { page, name: 'exit codes of client', text: table(['code', 'what happened'], [...codes, signals]) },
    { page, name: 'variables of client', text: `${variables}.` },
  ];
}

/** What a table of limits belongs to, and where its limits are set. In the order of the page. */
const limitTables = {
  serverLimits: ['Server', '`new AppServer(app, { limits })`'],
  serverTimeouts: ['Server: times', '`new AppServer(app, { timeouts })`'],
  clientLimits: ['Client', '`new Client({ limits })`'],
  clientTimeouts: ['Client: times', '`new Client({ timeouts })`; all but `connect` and `tls` also for one request'],
  poolLimits: ['Pool', '`new Client({ pool })`, `new HttpPool({ limits })`'],
  listenerLimits: [
    'Listener',
    '`new HttpOverTcpListener({ limits })`; a server sets them by its own limits and timeouts',
  ],
  chainLimits: ['Chains of certificates over QUIC', '`new ServerChainVerifier(config, { limits })`'],
  connectionLimits: ['Connection', '`connectionLimits` of the client, the server, a listener or an opener'],
  http1ServerLimits: ['HTTP/1.1, server', '`new Http1ServerFactory({ limits })`, some by the limits of `AppServer`'],
  http1ClientLimits: ['HTTP/1.1, client', '`new Http1ClientFactory({ limits })`, `new Client({ http1Limits })`'],
  nodeHttpServerLimits: ['HTTP/1.1 on node:http, server', '`new NodeHttpServerFactory({ limits })`'],
  nodeHttpClientLimits: ['HTTP/1.1 on node:http, client', '`new NodeHttpClientFactory({ limits })`'],
  nodeHttp2Limits: ['HTTP/2 on sessions of node:http2', '`new NodeHttp2ServerFactory({ limits })`'],
  http2ServerLimits: ['HTTP/2, server', '`new Http2ServerFactory({ limits })`, `new AppServer(app, { http2Limits })`'],
  http2ClientLimits: ['HTTP/2, client', '`new Http2ClientFactory({ limits })`, `new Client({ http2Limits })`'],
  http3ServerLimits: ['HTTP/3, server', '`new Http3ServerFactory({ limits })`, `new AppServer(app, { http3Limits })`'],
  http3ClientLimits: ['HTTP/3, client', '`new Http3ClientFactory({ limits })`, `new Client({ http3Limits })`'],
  tlsLimits: ['TLS 1.3 in QUIC', 'nobody: they are fixed'],
  quicLimits: ['QUIC, connection', '`quicClientConfig({ limits: quicLimitValues({ … }) })` and its kin for servers'],
  quicEndpointLimits: ['QUIC, endpoint', '`new QuicEndpoint({ limits })`'],
};

/** @returns {Promise<Map<string, Record<string, any>>>} every table of limits by its exported name */
async function allLimitTables() {
  const names = readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' });
  const tables = new Map();
  for (const name of names.filter((each) => path.basename(each) === 'limits.ts')) {
    const exported = await source(path.posix.join('src', name.split(path.sep).join('/')));
    for (const [key, value] of Object.entries(exported)) {
      const members = typeof value === 'object' && value !== null ? Object.values(value) : [];
      if (members.length > 0 && members.every((member) => member?.answers !== undefined)) tables.set(key, value);
    }
  }
  return tables;
}

/**
 * A default as people read it.
 * @param {{ unit: string, default: number }} limit the limit
 * @returns {string} `32 KiB`, `30 s`, `none`
 */
function amount({ unit, default: value }) {
  if (value === Infinity) return 'none';
  const steps = unit === 'milliseconds' ? 1000 : 1024;
  const units = {
    bytes: ['bytes', 'KiB', 'MiB', 'GiB'],
    'bytes/second': ['bytes/s', 'KiB/s'],
    milliseconds: ['ms', 's'],
  };
  const names = units[/** @type {keyof typeof units} */ (unit)] ?? [''];
  let [step, rest] = [0, value];
  while (rest >= steps && rest % steps === 0 && step < names.length - 1) [step, rest] = [step + 1, rest / steps];
  return `${String(rest)} ${names[step]}`.trim();
}

/** @type {(name: string, value: string[]) => [string, string[]]} */
const pair = (name, value) => [name, value];

/** @returns {Promise<GeneratedBlock>} docs/limits.md */
async function limits() {
  const tables = await allLimitTables();
  // A table that is not known here comes last, and says no more than it must.
  const others = [...tables.keys()].filter((name) => !(name in limitTables)).sort();
  /** @type {[string, string[]][]} */
  const all = [
    ...Object.entries(limitTables),
    ...others.map((name) => pair(name, [name, 'the factories of its folder'])),
  ];
  const sections = all.flatMap(([name, [title, place]]) => {
    const limitsOfTable = tables.get(name);
    if (limitsOfTable === undefined) return [];
    const rows = Object.entries(limitsOfTable).map(([limit, definition]) => [
      `\`${limit}\``,
      amount(definition),
      escaped(definition.answers),
    ]);
    return [
      `## ${title}`,
      `\`${name}\`. Set by ${place}.`,
      table(['limit', 'default', 'what it bounds, and answers'], rows),
    ];
  });
  return { page: 'docs/limits.md', name: 'limits', text: sections.join('\n\n') };
}

/** Whose doing the errors of a class are, where nothing else is said. */
const initiators = {
  LocalProtocolError: 'application',
  AppError: 'application',
  ConfigurationError: 'application',
  NetworkError: 'network',
  TimeoutError: 'network',
  RemoteProtocolError: 'peer',
  LimitError: 'peer',
  ProxyError: 'peer',
  StreamResetError: 'either side',
  HfaceError: 'any',
};

/** @returns {GeneratedBlock} docs/errors.md */
function errors() {
  const file = path.join(root, 'tools/error-codes.json');
  /** @type {Record<string, { when: string, do: string, class?: string }>} */
  const described = JSON.parse(readFileSync(file, 'utf8'));
  const found = errorCodes(['src', 'cli']);
  const missing = [...found.keys()].filter((code) => described[code] === undefined);
  const gone = Object.keys(described).filter((code) => !found.has(code));
  if (missing.length > 0) throw new Error(`say in tools/error-codes.json when ${missing.join(', ')} comes`);
  if (gone.length > 0) throw new Error(`tools/error-codes.json describes ${gone.join(', ')}, which no source has`);
  const rows = [...found].map(([code, facts]) => {
    const row = /** @type {{ when: string, do: string, class?: string }} */ (described[code]);
    const classes = new Set([...facts.classes, ...(row.class === undefined ? [] : [row.class])]);
    if (classes.size === 0) throw new Error(`say in tools/error-codes.json which class ${code} has`);
    const usual = [...classes].map(
      (name) => initiators[/** @type {keyof typeof initiators} */ (name)] ?? 'application',
    );
    const doing = new Set(facts.initiators.size > 0 ? facts.initiators : usual);
    return [`\`${code}\``, [...classes].sort().join(', '), [...doing].sort().join(', '), row.when, row.do];
  });
  const heads = ['code', 'class', 'initiator', 'when it comes', 'what to do'];
  return { page: 'docs/errors.md', name: 'errors', text: table(heads, rows) };
}

/** @returns {Promise<GeneratedBlock>} which implementation covers what, from the registry */
async function engines() {
  const { capabilityNames, protocolRegistry } = await source('src/protocols/index.ts');
  // Ours register themselves, the others when they are asked to.
  await source('src/connections/index.ts');
  for (const name of ['node-http', 'node-http2', 'http2-wrapper']) {
    const { register } = await source(`src/engines/${name}/index.ts`);
    await register(protocolRegistry);
  }
  const entries = [...protocolRegistry.entries(), ...protocolRegistry.quicEntries()];
  /** @type {(entry: any) => string} */
  const sides = ({ createClientFactory, createServerFactory }) => {
    if (createClientFactory === undefined) return 'server';
    return createServerFactory === undefined ? 'client' : 'both';
  };
  const rows = capabilityNames.map((/** @type {string} */ name) => [
    name,
    ...entries.map((/** @type {any} */ entry) => (entry.capabilities.has(name) ? 'yes' : '')),
  ]);
  const heads = entries.map((/** @type {any} */ entry) => `${entry.version} \`${entry.name}\``);
  const text = table(['capability', ...heads], [['_sides_', ...entries.map(sides)], ...rows]);
  return { page: 'docs/write-an-engine.md', name: 'engines and capabilities', text };
}

await runGenerator([...(await commandLine()), await limits(), errors(), await engines()], 'node tools/reference.js');
