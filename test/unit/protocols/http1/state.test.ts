import { describe, expect, it } from 'vitest';
import { ClientState, ServerState } from '../../../../src/protocols/http1/state.ts';

function pair(state: { readonly receive: string; readonly send: string }): string {
  return `${state.receive}/${state.send}`;
}

describe("the server's machines", () => {
  it('go round with each exchange', () => {
    const state = new ServerState();
    const seen: string[] = [pair(state)];
    for (const step of [
      () => state.requestBegins(),
      () => state.requestHead(true),
      () => state.requestEnds(),
      () => state.responseHead(),
      () => state.responseEnds(),
      () => state.exchangeEnds(),
    ]) {
      step();
      seen.push(pair(state));
    }
    expect(seen).toEqual([
      'idle/idle',
      'head/idle',
      'body/head',
      'complete/head',
      'complete/body',
      'complete/complete',
      'idle/idle',
    ]);
  });

  it('let a response end before its request', () => {
    const state = new ServerState();
    state.requestBegins();
    state.requestHead(true);
    state.responseHead();
    state.responseEnds();
    expect(state.exchangeOver).toBe(false);
    state.requestEnds();
    expect(state.exchangeOver).toBe(true);
  });

  it('open a tunnel, whose directions end one by one', () => {
    const state = new ServerState();
    state.requestBegins();
    state.requestHead(false);
    state.tunnelOpens();
    expect(pair(state)).toBe('tunnel/tunnel');
    state.tunnelInputEnds();
    expect(pair(state)).toBe('complete/tunnel');
    state.tunnelOutputEnds();
    expect(state.exchangeOver).toBe(true);
  });

  it('refuse every input that the state does not allow', () => {
    const inputs: ((state: ServerState) => void)[] = [
      (state) => state.requestHead(true),
      (state) => state.requestEnds(),
      (state) => state.responseHead(),
      (state) => state.responseEnds(),
      (state) => state.exchangeEnds(),
      (state) => state.tunnelOpens(),
      (state) => state.tunnelInputEnds(),
      (state) => state.tunnelOutputEnds(),
    ];
    for (const input of inputs) expect(() => input(new ServerState())).toThrow(/HTTP\/1 engine/);
    const over = new ServerState();
    over.ends();
    for (const input of [...inputs, (state: ServerState) => state.requestBegins()]) expect(() => input(over)).toThrow();
    expect(pair(over)).toBe('over/over');
  });
});

describe("the client's machines", () => {
  it('go round, with requests behind each other', () => {
    const state = new ClientState();
    state.requestHead('body');
    expect(pair(state)).toBe('head/body');
    state.requestEnds();
    state.requestHead('idle');
    expect(pair(state)).toBe('head/idle');
    state.responseHead();
    state.responseEnds(true);
    expect(pair(state)).toBe('head/idle');
    state.responseEnds(false);
    expect(pair(state)).toBe('idle/idle');
  });

  it('wait behind CONNECT and Upgrade', () => {
    const refused = new ClientState();
    refused.requestHead('waiting');
    expect(() => refused.requestHead('idle')).toThrow();
    refused.responseEnds(false);
    expect(pair(refused)).toBe('idle/idle');

    const accepted = new ClientState();
    accepted.requestHead('waiting');
    accepted.tunnelOpens();
    expect(pair(accepted)).toBe('tunnel/tunnel');
  });
});
