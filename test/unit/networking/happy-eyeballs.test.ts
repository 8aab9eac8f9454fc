/** Happy Eyeballs version 2 (RFC 8305) on a clock moved by hand. */
import { describe, expect, it } from 'vitest';
import { NetworkError } from '../../../src/common/index.ts';
import type { IpAddress } from '../../../src/common/index.ts';
import { interleaveFamilies, raceAddresses } from '../../../src/networking/happy-eyeballs.ts';
import type { Dial } from '../../../src/networking/happy-eyeballs.ts';
import { ManualClock, settled } from '../../support/manual-clock.ts';

const v6 = (last: number): IpAddress => ({ family: 'ipv6', host: `2001:db8::${String(last)}`, port: 443 });
const v4 = (last: number): IpAddress => ({ family: 'ipv4', host: `192.0.2.${String(last)}`, port: 443 });

/** A network of which the test decides what happens. */
class Dialler {
  readonly log: string[] = [];
  readonly open = new Map<string, (error: NetworkError | undefined, connection: string | undefined) => void>();
  readonly clock = new ManualClock();

  readonly dial: Dial<string> = (address, done) => {
    this.log.push(`${String(this.clock.now() - 1_000)} dial ${address.host}`);
    this.open.set(address.host, done);
    return () => {
      this.log.push(`cancel ${address.host}`);
      this.open.delete(address.host);
    };
  };

  connect(address: IpAddress): void {
    this.open.get(address.host)?.(undefined, `to ${address.host}`);
  }

  fail(address: IpAddress, code = 'ERR_CONNECTION_REFUSED'): void {
    const error = new NetworkError(`cannot connect to ${address.host}: no`, { code, phase: 'connect' });
    this.open.get(address.host)?.(error, undefined);
  }

  race(addresses: readonly IpAddress[], signal = new AbortController().signal): Promise<string> {
    return raceAddresses({ addresses, dial: this.dial, clock: this.clock, signal, target: 'example.com:443' });
  }
}

describe('order of addresses (RFC 8305 section 4)', () => {
  it('alternates the families, IPv6 first, and keeps the order within each', () => {
    const ordered = interleaveFamilies([v4(1), v4(2), v6(1), v4(3), v6(2)]);
    expect(ordered).toEqual([v6(1), v4(1), v6(2), v4(2), v4(3)]);
  });

  it('takes one family as it is', () => {
    expect(interleaveFamilies([v4(2), v4(1)])).toEqual([v4(2), v4(1)]);
    expect(interleaveFamilies([])).toEqual([]);
  });
});

describe('the race (RFC 8305 section 5)', () => {
  it('connects to the first address alone when that answers in time', async () => {
    const net = new Dialler();
    const race = net.race([v6(1), v4(1)]);
    await net.clock.advance(249);
    net.connect(v6(1));
    expect(await race).toBe('to 2001:db8::1');
    expect(net.log).toEqual(['0 dial 2001:db8::1']);
    expect(net.clock.scheduled).toBe(0);
  });

  it('starts the next attempt after 250 ms, the first to answer wins, the losers are cancelled', async () => {
    const net = new Dialler();
    const race = net.race([v6(1), v4(1), v6(2), v4(2)]);
    await net.clock.advance(600);
    expect(net.log).toEqual(['0 dial 2001:db8::1', '250 dial 192.0.2.1', '500 dial 2001:db8::2']);
    net.connect(v4(1));
    expect(await race).toBe('to 192.0.2.1');
    expect(net.log.slice(3)).toEqual(['cancel 2001:db8::1', 'cancel 2001:db8::2']);
    expect(net.clock.scheduled).toBe(0);
  });

  it('starts the next attempt at once when one fails, and the delay anew', async () => {
    const net = new Dialler();
    const race = net.race([v6(1), v4(1), v6(2)]);
    await net.clock.advance(100);
    net.fail(v6(1));
    await net.clock.advance(249);
    expect(net.log).toEqual(['0 dial 2001:db8::1', '100 dial 192.0.2.1']);
    await net.clock.advance(1);
    expect(net.log.at(-1)).toBe('350 dial 2001:db8::2');
    net.connect(v6(2));
    expect(await race).toBe('to 2001:db8::2');
  });

  it('lists every cause when all fail, with their common code', async () => {
    const net = new Dialler();
    const race = net.race([v6(1), v4(1)]);
    net.fail(v6(1));
    net.fail(v4(1));
    const error = (await race.catch((thrown: unknown) => thrown)) as NetworkError;
    expect(error).toBeInstanceOf(NetworkError);
    expect(error.code).toBe('ERR_CONNECTION_REFUSED');
    expect(error.message).toContain('example.com:443');
    expect(error.message).toContain('2001:db8::1');
    expect(error.message).toContain('192.0.2.1');
    expect((error.cause as AggregateError).errors).toHaveLength(2);
    expect(net.clock.scheduled).toBe(0);
  });

  it('throws the one error of the one address; different codes become one', async () => {
    const net = new Dialler();
    const one = net.race([v4(9)]);
    net.fail(v4(9), 'ERR_UNREACHABLE');
    await expect(one).rejects.toMatchObject({ code: 'ERR_UNREACHABLE', phase: 'connect' });
    const two = net.race([v6(1), v4(1)]);
    net.fail(v6(1), 'ERR_UNREACHABLE');
    net.fail(v4(1));
    await expect(two).rejects.toMatchObject({ code: 'ERR_NETWORK' });
  });

  it('waits for the attempts that still run when the last address fails', async () => {
    const net = new Dialler();
    const race = net.race([v6(1), v4(1)]);
    await net.clock.advance(250);
    net.fail(v4(1));
    await net.clock.advance(10_000);
    net.connect(v6(1));
    expect(await race).toBe('to 2001:db8::1');
  });

  it('has no address to try', async () => {
    await expect(new Dialler().race([])).rejects.toMatchObject({ code: 'ERR_NAME_NOT_FOUND', phase: 'resolve' });
  });

  it('ends by its signal: every attempt is cancelled, no timer is left', async () => {
    const net = new Dialler();
    const controller = new AbortController();
    const race = net.race([v6(1), v4(1), v6(2)], controller.signal);
    await net.clock.advance(300);
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(race).rejects.toBe(reason);
    expect(net.log.slice(2)).toEqual(['cancel 2001:db8::1', 'cancel 192.0.2.1']);
    expect(net.clock.scheduled).toBe(0);
    await settled();
    expect(net.open.size).toBe(0);
  });

  it('does not begin when the signal has aborted', async () => {
    const net = new Dialler();
    const reason = new Error('before');
    await expect(net.race([v6(1)], AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(net.log).toEqual([]);
  });
});
