/** The views on a byte stream: async iteration and Duplex, with backpressure, half-close and failure both ways. */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { HfaceError, NetworkError } from '../../../src/common/index.ts';
import { AsyncByteStream, duplexView, SystemNetworking } from '../../../src/networking/index.ts';
import type { ByteStream } from '../../../src/networking/index.ts';
import { expectNoSocketsBesides, openSockets } from '../../support/leaks.ts';
import { ListenerRecorder, loopback, portOf } from '../../support/networking-environment.ts';
import { bytesOf, patternBytes, StreamRecorder } from '../../support/stream-recorder.ts';

const baseline = openSockets();
const networking = new SystemNetworking();

/** A connection; `peer` is started as a recorder. */
async function withConnection(body: (stream: ByteStream, peer: StreamRecorder) => Promise<void>): Promise<void> {
  const accepted = new ListenerRecorder();
  const listener = await networking.listenTcp({ endpoint: loopback() }, accepted);
  const stream = await networking.connectTcp({ target: { host: '127.0.0.1', port: portOf(listener) } });
  const peer = StreamRecorder.start(await accepted.stream());
  try {
    await body(stream, peer);
  } finally {
    stream.abort();
    peer.stream.abort();
    await listener.close();
  }
}

describe('AsyncByteStream', () => {
  it('iterates over what comes and ends with the peer', () =>
    withConnection(async (stream, peer) => {
      const view = new AsyncByteStream(stream);
      const bytes = patternBytes(2_000_000);
      peer.stream.write(bytes);
      peer.stream.end();
      await view.write(bytesOf('hello'));
      view.end();
      const chunks: Uint8Array[] = [];
      for await (const chunk of view) chunks.push(chunk);
      expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
      expect(await view.closed()).toBeUndefined();
      expect(peer.text).toBe('hello');
    }));

  it('reads ahead within a bound only', () =>
    withConnection(async (stream, peer) => {
      const view = new AsyncByteStream(stream);
      let room = true;
      let written = 0;
      while (room && written < 64 << 20) {
        room = peer.stream.write(patternBytes(100_000));
        written += 100_000;
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(room).toBe(false);
      expect(stream.bytesRead).toBeLessThan(0x10000 + 2 * 0x10000);
      let read = 0;
      while (read < written) read += (await view.read())?.length ?? 0;
      expect(read).toBe(written);
      await peer.until(() => peer.drains > 0);
    }));

  it('a write waits for room', () =>
    withConnection(async (stream, peer) => {
      const view = new AsyncByteStream(stream);
      peer.stream.pause();
      const bytes = patternBytes(20_000_000);
      let done = false;
      const writing = view.write(bytes).then(() => (done = true));
      for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      expect(done).toBe(false);
      peer.stream.resume();
      await writing;
      await peer.bytes(bytes.length);
      expect(peer.byteCount).toBe(bytes.length);
    }));

  it('leaving the loop aborts the stream', () =>
    withConnection(async (stream, peer) => {
      peer.stream.write(bytesOf('one'));
      const view = new AsyncByteStream(stream);
      for await (const chunk of view) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
      expect(await view.closed()).toBeUndefined();
      await peer.closing();
      expect(peer.error?.code).toBe('ERR_CONNECTION_RESET');
    }));

  it('a reset rejects readers and writers, what came before is still read', () =>
    withConnection(async (stream, peer) => {
      const view = new AsyncByteStream(stream);
      peer.stream.write(bytesOf('last'));
      expect(Buffer.from((await view.read()) ?? []).toString()).toBe('last');
      const reading = view.read();
      peer.stream.abort();
      await expect(reading).rejects.toMatchObject({ code: 'ERR_CONNECTION_RESET' });
      await expect(view.read()).rejects.toBeInstanceOf(NetworkError);
      await expect(view.write(bytesOf('x'))).rejects.toMatchObject({ code: 'ERR_CONNECTION_RESET' });
      expect(await view.closed()).toMatchObject({ code: 'ERR_CONNECTION_RESET' });
    }));

  it('a signal ends a read and a wait for room, not the stream', () =>
    withConnection(async (stream, peer) => {
      const view = new AsyncByteStream(stream);
      const reason = new Error('enough');
      const controller = new AbortController();
      const reading = view.read(controller.signal);
      controller.abort(reason);
      await expect(reading).rejects.toBe(reason);
      peer.stream.write(bytesOf('still'));
      expect(Buffer.from((await view.read()) ?? []).toString()).toBe('still');
    }));

  it('disposal aborts what has not ended and waits for the end', () =>
    withConnection(async (stream, peer) => {
      const view = new AsyncByteStream(stream);
      view.end();
      await expect(view.write(bytesOf('late'))).rejects.toMatchObject({ code: 'ERR_STREAM_CLOSED' });
      await view[Symbol.asyncDispose]();
      expect(await view.closed()).toBeUndefined();
      await expect(view.read()).rejects.toMatchObject({ code: 'ERR_STREAM_CLOSED' });
      await peer.until(() => peer.ended || peer.closings > 0);
    }));

  it('disposal after both sides have ended aborts nothing', () =>
    withConnection(async (stream, peer) => {
      const view = new AsyncByteStream(stream);
      await view.write(bytesOf('all'));
      view.end();
      peer.stream.end();
      expect(await view.read()).toBeUndefined();
      await view[Symbol.asyncDispose]();
      await peer.closing();
      expect(peer.log).toEqual(['data 3', 'end', 'closed']);
    }));
});

describe('duplexView', () => {
  async function withDuplex(
    body: (duplex: Duplex, peer: StreamRecorder, stream: ByteStream) => Promise<void>,
  ): Promise<void> {
    await withConnection((stream, peer) => body(duplexView(stream), peer, stream));
  }

  it('carries bytes both ways, with half-close', () =>
    withDuplex(async (duplex, peer) => {
      const bytes = patternBytes(3_000_000);
      peer.react = (event) => {
        if (event === 'end') {
          peer.stream.write(bytesOf('got it'));
          peer.stream.end();
        }
      };
      duplex.end(bytes);
      await once(duplex, 'finish');
      const chunks: Buffer[] = [];
      for await (const chunk of duplex) chunks.push(chunk as Buffer);
      expect(Buffer.concat(chunks).toString()).toBe('got it');
      expect(Buffer.concat(peer.chunks).equals(bytes)).toBe(true);
      expect(peer.error).toBeUndefined();
      if (!duplex.closed) await once(duplex, 'close');
      expect(duplex.errored).toBeNull();
    }));

  it('pauses the stream when its buffer is full', () =>
    withDuplex(async (duplex, peer, stream) => {
      let room = true;
      let written = 0;
      while (room && written < 64 << 20) {
        room = peer.stream.write(patternBytes(100_000));
        written += 100_000;
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(room).toBe(false);
      expect(stream.bytesRead).toBeLessThan(4 * 0x10000);
      let read = 0;
      duplex.on('data', (chunk: Buffer) => (read += chunk.length));
      peer.stream.end();
      await once(duplex, 'end');
      expect(read).toBe(written);
    }));

  it('a writer waits for room, and writes lists at once', () =>
    withDuplex(async (duplex, peer) => {
      peer.stream.pause();
      let written = 0;
      while (duplex.write(patternBytes(200_000)) || written < 8_000_000) written += 200_000;
      written += 200_000;
      duplex.cork();
      for (let index = 0; index < 5; index += 1) duplex.write('abcde');
      duplex.uncork();
      peer.stream.resume();
      await once(duplex, 'drain');
      await peer.bytes(written + 25);
      expect(peer.byteCount).toBe(written + 25);
    }));

  it('works with pipeline', () =>
    withDuplex(async (duplex, peer) => {
      const bytes = patternBytes(500_000);
      peer.stream.write(bytes);
      peer.stream.end();
      const received: Buffer[] = [];
      await pipeline(duplex, async (source: AsyncIterable<Buffer>) => {
        for await (const chunk of source) received.push(chunk);
      });
      expect(Buffer.concat(received).equals(bytes)).toBe(true);
    }));

  it('destroy aborts the stream, with its error as the reason', () =>
    withDuplex(async (duplex, peer) => {
      const error = new HfaceError('enough', { code: 'ERR_ENOUGH', initiator: 'application' });
      const errors: unknown[] = [];
      duplex.on('error', (thrown) => errors.push(thrown));
      duplex.destroy(error);
      await once(duplex, 'close').catch(() => undefined);
      await peer.closing();
      expect(peer.error?.code).toBe('ERR_CONNECTION_RESET');
      expect(errors).toEqual([error]);
    }));

  it('destroy calls back a write that waits', () =>
    withDuplex(async (duplex, peer) => {
      peer.stream.pause();
      const outcome = new Promise((resolve) => duplex.write(patternBytes(20_000_000), resolve));
      duplex.destroy();
      expect(await outcome).toBeInstanceOf(Error);
      await once(duplex, 'close').catch(() => undefined);
      expect(duplex.closed).toBe(true);
    }));

  it('a reset destroys it with the error', () =>
    withDuplex(async (duplex, peer) => {
      duplex.resume();
      const failed = once(duplex, 'error');
      peer.stream.abort();
      const [error] = (await failed) as [NetworkError];
      expect(error).toMatchObject({ code: 'ERR_CONNECTION_RESET' });
      if (!duplex.closed) await once(duplex, 'close');
      expect(duplex.destroyed).toBe(true);
    }));

  it('a stream aborted by somebody else closes it', () =>
    withDuplex(async (duplex, _peer, stream) => {
      duplex.resume();
      const closed = once(duplex, 'close');
      stream.abort();
      await closed;
      expect(duplex.destroyed).toBe(true);
      expect(await new Promise((resolve) => duplex.write('late', resolve))).toBeInstanceOf(Error);
    }));
});

afterAll(() => expectNoSocketsBesides(baseline));
