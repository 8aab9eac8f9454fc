import { describe, expect, it } from 'vitest';
import { HfaceError, LocalProtocolError, resolveLimits } from '../../../src/common/index.ts';
import { connectionLimits, OverTcpDriver } from '../../../src/connections/index.ts';
import type { HttpDriverHandler } from '../../../src/connections/index.ts';
import {
  connectionTerminated,
  dataReceived,
  protocolReplaced,
  streamClosed,
  streamWritable,
} from '../../../src/protocols/index.ts';
import type { HttpEvent } from '../../../src/protocols/index.ts';
import { ManualClock } from '../concurrency/manual-clock.ts';
import { encode, FakeEngine, FakeStream, turn } from './fakes.ts';

function setUp(onEvent?: (event: HttpEvent, driver: OverTcpDriver, engine: FakeEngine) => void): {
  engine: FakeEngine;
  stream: FakeStream;
  clock: ManualClock;
  driver: OverTcpDriver;
  events: HttpEvent[];
  ends: (HfaceError | undefined)[];
} {
  const engine = new FakeEngine();
  const stream = new FakeStream();
  const clock = new ManualClock();
  const driver = new OverTcpDriver(engine, stream, clock, resolveLimits('connection', connectionLimits));
  const events: HttpEvent[] = [];
  const ends: (HfaceError | undefined)[] = [];
  const handler: HttpDriverHandler = {
    eventReceived: (event) => {
      events.push(event);
      onEvent?.(event, driver, engine);
    },
    ended: (error) => ends.push(error),
  };
  driver.start(handler);
  return { engine, stream, clock, driver, events, ends };
}

const closedBy = (engine: FakeEngine, error?: HfaceError): void => {
  engine.events.push(connectionTerminated(0, 'the end', 'maybe', error));
};

describe('a batch of input', () => {
  it('is handed over with one reading of the clock, and events come in order', async () => {
    const { engine, stream, clock, events } = setUp();
    const times: number[] = [];
    engine.onBytes = (text, now) => {
      times.push(now);
      engine.events.push(dataReceived(1, encode(text), text.length, false, false), streamClosed(1));
    };
    await turn();
    stream.receive('abc');
    expect(times).toEqual([clock.now()]);
    expect(events.map(({ type }) => type)).toEqual(['DataReceived', 'StreamClosed']);
  });

  it('writes what a handler submits in the same batch, without waiting for a microtask', () => {
    const { engine, stream } = setUp((_event, driver, made) => {
      made.output.push([encode('one'), encode('two')]);
      driver.wake();
    });
    engine.onBytes = () => engine.events.push(streamWritable(1));
    stream.receive('x');
    expect(stream.writes).toHaveLength(1);
    expect(stream.text).toBe('onetwo');
  });

  it('pauses and resumes reading in the same turn as the engine says so', () => {
    const { engine, stream } = setUp();
    engine.onBytes = (text) => (engine.wantsInput = text !== 'stop');
    stream.receive('stop');
    expect(stream.calls).toEqual(['pause']);
    stream.receive('go');
    stream.receive('go');
    expect(stream.calls).toEqual(['pause', 'resume']);
  });

  it('pauses for a handler that takes no events, and goes on with it', () => {
    const { driver, stream } = setUp();
    driver.holdInput(true);
    driver.holdInput(true);
    driver.holdInput(false);
    expect(stream.calls).toEqual(['pause', 'resume']);
  });
});

describe('output', () => {
  it('of one turn is gathered into one microtask', async () => {
    const { engine, stream, driver } = setUp();
    await turn();
    engine.output.push([encode('a')]);
    driver.wake();
    driver.wake();
    driver.wake();
    expect(stream.writes).toHaveLength(0);
    await turn();
    expect(stream.writes).toHaveLength(1);
  });

  it('waits for room; meanwhile the engine is told the time, so that its write timer starts', async () => {
    const { engine, stream, clock, driver } = setUp();
    await turn();
    stream.room = false;
    engine.output.push([encode('a')]);
    driver.wake();
    await turn();
    engine.output.push([encode('b')]);
    clock.advance(5);
    driver.wake();
    await turn();
    expect(stream.text).toBe('a');
    expect(engine.calls).toContain(`timeout ${clock.now()}`);
    stream.room = true;
    stream.handler?.drained();
    expect(stream.text).toBe('a|b');
  });

  it('tells room at once, and takes what a handler makes of it', async () => {
    const { engine, stream, driver } = setUp((event, made, fake) => {
      if (event.type !== 'StreamWritable') return;
      fake.output.push([encode('more')]);
      made.wake();
    });
    await turn();
    let takes = 0;
    engine.onTake = () => {
      takes += 1;
      if (takes === 1) engine.events.push(streamWritable(1));
    };
    engine.output.push([encode('first')]);
    driver.wake();
    await turn();
    expect(stream.text).toBe('first|more');
  });

  it('lets others have their turn after sixteen writes', async () => {
    const { engine, stream, clock, driver } = setUp();
    await turn();
    for (let index = 0; index < 20; index += 1) engine.output.push([encode('x')]);
    driver.wake();
    await turn();
    expect(stream.writes).toHaveLength(16);
    clock.advance(1);
    expect(stream.writes).toHaveLength(20);
  });

  it('that is made in microtasks as fast as it is asked for lets the event loop come in between', async () => {
    let made = 0;
    const { engine, stream, clock, driver } = setUp((event, given, fake) => {
      if (event.type !== 'StreamWritable') return;
      void Promise.resolve().then(() => {
        if ((made += 1) > 1_000) return;
        fake.output.push([encode('x')]);
        given.wake();
      });
    });
    await turn();
    engine.onTake = () => engine.events.push(streamWritable(1));
    engine.output.push([encode('x')]);
    driver.wake();
    await turn();
    expect(stream.writes).toHaveLength(16);
    clock.advance(0);
    await turn();
    expect(stream.writes).toHaveLength(32);
  });

  it('half-closes once when the engine wants it, and goes on reading', async () => {
    const { engine, stream, driver, events } = setUp();
    await turn();
    engine.wantsEof = true;
    driver.wake();
    await turn();
    driver.wake();
    await turn();
    engine.onBytes = () => engine.events.push(streamClosed(1));
    stream.receive('more');
    expect(stream.calls).toEqual(['end']);
    expect(events).toHaveLength(1);
  });

  it('of an engine that works asynchronously is asked for when it says so', async () => {
    const { engine, stream } = setUp();
    await turn();
    engine.output.push([encode('late')]);
    engine.onOutput?.();
    await turn();
    expect(stream.text).toBe('late');
  });
});

describe('timers', () => {
  it('are those of the engine, armed again after each batch, and share one callback of the clock', async () => {
    const clock = new ManualClock();
    const engines = [1, 2, 3].map((at) => {
      const engine = new FakeEngine();
      engine.timeout = 2000 + at;
      const limits = resolveLimits('connection', connectionLimits);
      const driver = new OverTcpDriver(engine, new FakeStream(), clock, limits);
      driver.start({ eventReceived: () => undefined, ended: () => undefined });
      return engine;
    });
    await turn();
    expect(clock.pending).toBe(1);
    expect(clock.allBackground).toBe(true);
    for (const engine of engines) engine.onTimeout = () => (engine.timeout = undefined);
    clock.advance(2000);
    expect(engines.map((engine) => engine.calls)).toEqual([['timeout 2001'], ['timeout 2002'], ['timeout 2003']]);
    expect(clock.pending).toBe(0);
  });
});

describe('a slow peer', () => {
  it('is seen to make progress before the queue of its stream is empty', async () => {
    const { engine, stream, clock, driver } = setUp();
    await turn();
    stream.room = false;
    stream.bufferedBytes = 0x40000;
    engine.output.push([encode('a')]);
    driver.wake();
    await turn();
    engine.output.push([encode('b')]);
    stream.bufferedBytes = 0x30000;
    clock.advance(5_000);
    expect(stream.text).toBe('a');
    stream.bufferedBytes = 0x2ffff;
    engine.timeout = clock.now() + 5_000;
    const calls = engine.calls.length;
    engine.onTake = () => (engine.timeout = undefined);
    clock.advance(5_000);
    expect(stream.text).toBe('a|b');
    // The engine's own timer was due at that very time, and the output came before it.
    expect(engine.calls.slice(calls)).toEqual([]);
  });
});

describe('a protocol that becomes known', () => {
  it('replaces the one before, and the connection keeps its number', async () => {
    const { engine, stream, driver, events } = setUp();
    await turn();
    const before = driver.facts.connectionId;
    const next = new FakeEngine('server', true);
    engine.onBytes = () => {
      next.events.push(streamClosed(7));
      engine.events.push(protocolReplaced(next));
    };
    stream.receive('PRI');
    stream.receive('more');
    expect(driver.protocol).toBe(next);
    expect(driver.facts.connectionId).toBe(before);
    expect(engine.onOutput).toBeUndefined();
    expect(next.calls).toEqual(['bytes more']);
    expect(events).toEqual([streamClosed(7)]);
  });
});

describe('the end (RFC 9112 section 9.6)', () => {
  it('writes the last output, half-closes, drops what still comes, and ends with the peer', async () => {
    const { engine, stream, ends, events } = setUp();
    engine.onBytes = () => {
      engine.output.push([encode('400')]);
      engine.wantsEof = true;
      closedBy(engine);
    };
    stream.receive('junk');
    expect(stream.text).toBe('400');
    expect(stream.calls).toEqual(['end']);
    stream.receive('more junk');
    expect(engine.calls).toEqual(['bytes junk']);
    stream.gone(undefined);
    await turn();
    expect(events).toHaveLength(1);
    expect(ends).toEqual([undefined]);
  });

  it('waits for room before it half-closes', async () => {
    const { engine, stream } = setUp();
    await turn();
    stream.room = false;
    engine.onBytes = () => {
      engine.output.push([encode('a')], [encode('b')]);
      closedBy(engine);
    };
    stream.receive('x');
    expect(stream.calls).toEqual([]);
    stream.room = true;
    engine.wantsEof = true;
    stream.handler?.drained();
    expect(stream.text).toBe('a|b');
    expect(stream.calls).toEqual(['end']);
  });

  it('reads on when reading was paused, so that the end of the peer is seen', () => {
    const { engine, stream } = setUp();
    engine.onBytes = () => {
      engine.wantsInput = false;
      if (stream.calls.length === 0) return;
      engine.wantsEof = true;
      closedBy(engine);
    };
    stream.receive('x');
    stream.receive('y');
    expect(stream.calls).toEqual(['pause', 'resume', 'end']);
  });

  it('resets when the engine has cut something off', async () => {
    const { engine, stream, ends } = setUp();
    const error = new HfaceError('cut', { code: 'ERR_CUT', initiator: 'application' });
    engine.onBytes = () => closedBy(engine, error);
    stream.receive('x');
    expect(stream.calls).toEqual(['abort']);
    await turn();
    expect(ends).toEqual([error]);
  });

  it('lets go of a peer that never ends its side, without a reset', async () => {
    const { engine, stream, clock, ends } = setUp();
    engine.wantsEof = true;
    engine.onBytes = () => closedBy(engine);
    stream.receive('x');
    clock.advance(connectionLimits.lingerTimeout.default - 1);
    expect(stream.calls).toEqual(['end']);
    clock.advance(1);
    expect(stream.calls).toEqual(['end', 'close']);
    await turn();
    expect(ends).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  it('waits longer for a peer that still sends, but not for ever', () => {
    const { engine, stream, clock } = setUp();
    engine.wantsEof = true;
    engine.onBytes = () => closedBy(engine);
    stream.receive('x');
    const { lingerTimeout, maxLingerTime } = connectionLimits;
    for (let time = 0; time < maxLingerTime.default - 1_000; time += 1_000) {
      clock.advance(1_000);
      stream.receive('more');
    }
    expect(lingerTimeout.default).toBeGreaterThan(1_000);
    expect(stream.calls).toEqual(['end']);
    clock.advance(1_000);
    expect(stream.calls).toEqual(['end', 'close']);
  });

  it('waits longer while queued bytes go on their way, and resets when they do not', () => {
    const { engine, stream, clock } = setUp();
    engine.wantsEof = true;
    engine.onBytes = () => closedBy(engine);
    stream.bufferedBytes = 100;
    stream.receive('x');
    stream.bufferedBytes = 50;
    clock.advance(connectionLimits.lingerTimeout.default);
    expect(stream.calls).toEqual(['end']);
    clock.advance(connectionLimits.lingerTimeout.default);
    expect(stream.calls).toEqual(['end', 'abort']);
  });

  it('lets go of a peer that sends without end', () => {
    const { engine, stream } = setUp();
    engine.wantsEof = true;
    engine.onBytes = () => closedBy(engine);
    stream.receive('x');
    const chunk = new Uint8Array(0x100000);
    for (let index = 0; index < 5; index += 1) stream.handler?.dataReceived(chunk);
    expect(stream.calls).toEqual(['end', 'close']);
  });
});

describe('failures', () => {
  it('of the network reach the engine, then the handler, once', async () => {
    const { engine, stream, events, ends } = setUp();
    const error = new HfaceError('reset', { code: 'ERR_NETWORK', initiator: 'network' });
    engine.onLost = (given) => engine.events.push(connectionTerminated(0, 'lost', 'maybe', given));
    stream.gone(error);
    await turn();
    expect(engine.calls).toEqual(['lost']);
    expect(events).toEqual([connectionTerminated(0, 'lost', 'maybe', error)]);
    expect(ends).toEqual([error]);
  });

  it('of a handler end its connection with the internal error', async () => {
    const { engine, stream, ends } = setUp((event) => {
      if (event.type === 'StreamClosed') throw new Error('mine');
    });
    engine.onBytes = () => engine.events.push(streamClosed(1));
    engine.onClose = () => closedBy(engine);
    stream.receive('x');
    expect(engine.calls).toContain('close 2 internal error');
    expect(stream.calls).toEqual(['abort']);
    await turn();
    expect(ends.map((error) => error?.message)).toEqual(['mine']);
  });

  it('of an engine end its connection, and the handler is told', async () => {
    const { engine, stream, events, ends } = setUp();
    engine.onBytes = () => {
      throw new Error('a defect');
    };
    stream.receive('x');
    await turn();
    expect(events.map(({ type }) => type)).toEqual(['ConnectionTerminated']);
    expect(stream.calls).toEqual(['abort']);
    expect(ends[0]?.code).toBe('ERR_ENGINE');
  });

  it('of an engine that does not tell its end are told in its place', async () => {
    const { stream, events, ends } = setUp();
    stream.gone(undefined);
    await turn();
    expect(events.map(({ type }) => type)).toEqual(['ConnectionTerminated']);
    expect(ends).toHaveLength(1);
  });
});

describe('a stream given away', () => {
  it('is paused, with what was not delivered; the driver does no more', async () => {
    const { engine, stream, driver, clock } = setUp();
    await turn();
    engine.timeout = 5000;
    driver.wake();
    await turn();
    engine.output.push([encode('101')]);
    const detached = driver.detach();
    expect(stream.text).toBe('101');
    expect(detached.stream).toBe(stream);
    expect(detached.unread).toEqual([encode('unread')]);
    expect(stream.calls).toEqual(['pause']);
    expect(clock.pending).toBe(0);
    expect(() => driver.detach()).toThrow(LocalProtocolError);
  });

  it('is refused while output waits for room', async () => {
    const { engine, stream, driver } = setUp();
    await turn();
    stream.room = false;
    engine.output.push([encode('a')]);
    driver.wake();
    await turn();
    expect(() => driver.detach()).toThrow(LocalProtocolError);
  });
});
