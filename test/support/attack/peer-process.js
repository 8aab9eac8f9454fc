/**
 * The other process of an attack: opens or accepts connections and speaks bytes as it is told over IPC.
 *
 * It knows nothing of HTTP and nothing of hface-ts. Each message names an operation; each gets one answer. It ends when
 * its parent goes away.
 *
 * @module
 */
import net from 'node:net';
import process from 'node:process';
import tls from 'node:tls';

const sockets = new Map();
const servers = new Map();
let nextId = 1;

/** How much of what came is kept; the rest is counted only. */
const KEPT = 1 << 20;

class Line {
  constructor(socket) {
    this.id = nextId++;
    this.socket = socket;
    this.chunks = [];
    this.received = 0;
    this.ended = false;
    this.closed = false;
    this.secured = false;
    this.error = undefined;
    this.waiters = new Set();
    this.listen(socket);
    sockets.set(this.id, this);
  }

  listen(socket) {
    socket.on('data', (chunk) => {
      if (this.received < KEPT) this.chunks.push(chunk);
      this.received += chunk.length;
      this.wake();
    });
    socket.on('end', () => {
      this.ended = true;
      this.wake();
    });
    socket.on('error', (error) => {
      this.error = `${error.code ?? ''} ${error.message}`.trim();
      this.wake();
    });
    socket.on('close', () => {
      this.closed = true;
      this.wake();
    });
  }

  wake() {
    for (const waiter of [...this.waiters]) waiter();
  }

  get text() {
    if (this.chunks.length > 1) this.chunks = [Buffer.concat(this.chunks)];
    return this.chunks[0]?.toString('latin1') ?? '';
  }

  get state() {
    const { id, ended, closed, error, received, secured } = this;
    const alpn = this.socket.alpnProtocol;
    return { id, text: this.text, received, ended, closed, secured, error, alpn: alpn === false ? undefined : alpn };
  }

  /** Resolves with true when `done` holds, with false when time is over. */
  until(done, milliseconds) {
    return new Promise((resolve) => {
      const finish = (value) => {
        clearTimeout(timer);
        this.waiters.delete(look);
        resolve(value);
      };
      const look = () => {
        if (done()) finish(true);
      };
      const timer = setTimeout(() => finish(false), milliseconds);
      this.waiters.add(look);
      look();
    });
  }
}

function line(id) {
  const found = sockets.get(id);
  if (found === undefined) throw new Error(`there is no socket ${String(id)}`);
  return found;
}

function tlsOptions({ cert, key, ca, servername, alpn, minVersion, maxVersion }) {
  const options = { rejectUnauthorized: false };
  if (cert !== undefined) Object.assign(options, { cert, key });
  if (ca !== undefined) options.ca = ca;
  if (servername !== undefined) options.servername = servername;
  if (alpn !== undefined) options.ALPNProtocols = alpn;
  if (minVersion !== undefined) options.minVersion = minVersion;
  if (maxVersion !== undefined) options.maxVersion = maxVersion;
  return options;
}

const operations = {
  async connect({ port, host = '127.0.0.1', localAddress, secure, timeout = 10_000 }) {
    const options = { port, host, localAddress, allowHalfOpen: true };
    const socket = secure === undefined ? net.connect(options) : tls.connect({ ...options, ...tlsOptions(secure) });
    const made = new Line(socket);
    let open = false;
    socket.on(secure === undefined ? 'connect' : 'secureConnect', () => {
      open = true;
      made.secured = secure !== undefined;
      made.wake();
    });
    await made.until(() => open || made.closed || made.error !== undefined, timeout);
    return made.state;
  },

  /** Opens many, without waiting for anything but their being connected or refused. */
  async connectMany({ port, count, host = '127.0.0.1', localAddress, data }) {
    const made = Array.from({ length: count }, () => {
      const socket = net.connect({ port, host, localAddress, allowHalfOpen: true });
      const one = new Line(socket);
      socket.on('connect', () => {
        one.open = true;
        if (data !== undefined) socket.write(Buffer.from(data));
        one.wake();
      });
      return one;
    });
    await Promise.all(made.map((one) => one.until(() => one.open || one.closed || one.error !== undefined, 10_000)));
    return made.map((one) => one.id);
  },

  /** Upgrades an open connection to TLS, as the client. */
  async secure({ socket, secure, timeout = 10_000 }) {
    const made = line(socket);
    made.socket.removeAllListeners('data');
    const upgraded = tls.connect({ socket: made.socket, ...tlsOptions(secure) });
    const over = new Line(upgraded);
    upgraded.on('secureConnect', () => {
      over.secured = true;
      over.wake();
    });
    await over.until(() => over.secured || over.closed || over.error !== undefined, timeout);
    return over.state;
  },

  write({ socket, data }) {
    const { socket: stream } = line(socket);
    if (!stream.destroyed && stream.writable) stream.write(Buffer.from(data));
    return undefined;
  },

  /** Writes pieces with a turn of the loop, or some milliseconds, between them. */
  async pieces({ socket, pieces, every = 0 }) {
    const made = line(socket);
    for (const piece of pieces) {
      if (made.closed || made.socket.destroyed) return undefined;
      made.socket.write(Buffer.from(piece));
      await new Promise((resolve) => setTimeout(resolve, every));
    }
    return undefined;
  },

  /** Writes `unit` again and again until `total` bytes were taken, nothing was taken for `stall` ms, or the end. */
  async flood({ socket, unit, total, stall = 500 }) {
    const made = line(socket);
    const stream = made.socket;
    const bytes = Buffer.from(unit);
    const times = Math.max(1, Math.floor(65_536 / bytes.length));
    const batch = Buffer.concat(Array.from({ length: times }, () => bytes));
    let sent = 0;
    let stalled = false;
    const over = () => made.closed || made.error !== undefined || stream.destroyed || !stream.writable;
    while (sent < total && !over()) {
      sent += batch.length;
      if (stream.write(batch)) {
        // Lets what came in be read.
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      let drained = false;
      const onDrain = () => {
        drained = true;
        made.wake();
      };
      stream.once('drain', onDrain);
      await made.until(() => drained || over(), stall);
      stream.off('drain', onDrain);
      if (!drained && !over()) {
        stalled = true;
        break;
      }
    }
    return { sent: sent - stream.writableLength, stalled, over: over() };
  },

  async until({ socket, text, end = false, count = 1, timeout = 5_000 }) {
    const made = line(socket);
    const done = () => {
      if (made.ended || made.closed) return true;
      if (end || text === undefined) return false;
      let at = -1;
      const all = made.text;
      for (let seen = 0; seen < count; seen += 1) {
        at = all.indexOf(text, at + 1);
        if (at < 0) return false;
      }
      return true;
    };
    const reached = await made.until(done, timeout);
    return { ...made.state, reached };
  },

  async received({ socket, bytes, timeout = 5_000 }) {
    const made = line(socket);
    const reached = await made.until(() => made.received >= bytes || made.ended || made.closed, timeout);
    return { ...made.state, reached };
  },

  state: ({ socket }) => line(socket).state,

  states: ({ sockets: ids }) => ids.map((id) => ({ ...line(id).state, text: line(id).text.slice(0, 200) })),

  pause({ socket }) {
    line(socket).socket.pause();
  },
  resume({ socket }) {
    line(socket).socket.resume();
  },
  end({ socket }) {
    line(socket).socket.end();
  },
  reset({ socket }) {
    const { socket: stream } = line(socket);
    if (stream instanceof tls.TLSSocket) stream.destroy();
    else stream.resetAndDestroy();
  },
  destroy({ sockets: ids, reset = false }) {
    for (const id of ids) {
      const { socket: stream } = line(id);
      if (reset) stream.resetAndDestroy();
      else stream.destroy();
      sockets.delete(id);
    }
  },
  renegotiate: ({ socket }) =>
    new Promise((resolve) => {
      const { socket: stream } = line(socket);
      const asked = stream.renegotiate({}, (error) => resolve(error === null ? 'renegotiated' : error.message));
      if (asked === false) resolve('not possible');
      stream.once('close', () => resolve('closed'));
    }),

  async listen({ secure, host = '127.0.0.1' } = {}) {
    const waiting = [];
    const takers = [];
    const accepted = (socket) => {
      const made = new Line(socket);
      const taker = takers.shift();
      if (taker === undefined) waiting.push(made);
      else taker(made);
    };
    const options = { allowHalfOpen: true };
    const server =
      secure === undefined
        ? net.createServer(options, accepted)
        : tls.createServer({ ...options, ...tlsOptions(secure) }, accepted);
    server.on('tlsClientError', () => undefined);
    await new Promise((resolve) => server.listen(0, host, resolve));
    const id = nextId++;
    servers.set(id, { server, waiting, takers });
    return { id, port: server.address().port };
  },

  accept: ({ server, timeout = 5_000 }) =>
    new Promise((resolve, reject) => {
      const { waiting, takers } = servers.get(server);
      const ready = waiting.shift();
      if (ready !== undefined) {
        resolve(ready.state);
        return;
      }
      const taker = (made) => {
        clearTimeout(timer);
        resolve(made.state);
      };
      const timer = setTimeout(() => {
        takers.splice(takers.indexOf(taker), 1);
        reject(new Error('no connection came'));
      }, timeout);
      takers.push(taker);
    }),

  /** Answers every connection to come by itself: when `after` has come, writes `reply`; then floods, ends or waits. */
  answerAll({ server, after, reply, flood, end }) {
    const entry = servers.get(server);
    const answer = (made) => {
      let answered = 0;
      const look = () => {
        const asked = made.text.split(after).length - 1;
        while (answered < asked && !made.closed) {
          answered += 1;
          made.socket.write(Buffer.from(reply));
          if (flood !== undefined) void operations.flood({ socket: made.id, ...flood });
          if (end === true) made.socket.end();
        }
      };
      made.waiters.add(look);
      look();
    };
    entry.waiting.splice(0).forEach(answer);
    entry.takers.push(...Array.from({ length: 10_000 }, () => answer));
    return undefined;
  },

  close({ server }) {
    servers.get(server)?.server.close();
    servers.delete(server);
    return undefined;
  },
};

process.on('message', (message) => {
  const { call, operation, ...details } = message;
  Promise.resolve()
    .then(() => operations[operation](details))
    .then(
      (value) => process.send({ call, value }),
      (error) => process.send({ call, failure: String(error?.stack ?? error) }),
    );
});
process.on('disconnect', () => process.exit(0));
