import { describe, expect, it } from 'vitest';
import { asgi, mountApp, nodeApp, selectApp, styleOf, styleSymbol } from '../../../src/app/index.ts';
import { ConfigurationError } from '../../../src/common/index.ts';
import { FakeHost } from './fake-exchange.ts';

const fetchApp = (): Response => new Response('ok');
const express = Object.assign((): void => undefined, { handle: fetchApp, set: fetchApp });
const koa = { callback: fetchApp, use: fetchApp };
const fastify = { ready: fetchApp, routing: fetchApp };
const three = (_one: unknown, _two: unknown, _three: unknown): void => undefined;
class App {
  fetch = fetchApp;
}

describe('the style of an app', () => {
  it.each<[string, unknown, string | undefined]>([
    ['a function', fetchApp, 'fetch'],
    ['a function of three arguments', three, 'fetch'],
    ['an object with fetch', { fetch: fetchApp }, 'fetch'],
    ['an instance with fetch', new App(), 'fetch'],
    ['asgi()', asgi(async () => Promise.resolve()), 'asgi'],
    ['nodeApp()', nodeApp((): void => undefined), 'node'],
    ['a function that says asgi', Object.assign((): void => undefined, { [styleSymbol]: 'asgi' }), 'asgi'],
    ['an Express app', express, 'node'],
    ['a Koa app', koa, 'node'],
    ['a Fastify instance', fastify, 'node'],
    ['a class', App, undefined],
    ['an object', {}, undefined],
    ['text', 'app', undefined],
    ['null', null, undefined],
  ])('of %s', (_name, app, style) => {
    expect(styleOf(app)).toBe(style);
  });

  it('may not be one that does not exist', () => {
    expect(() => styleOf({ [Symbol.for('hface.style')]: 'wsgi' })).toThrow(/"wsgi" is no app style/);
  });

  it('leaves the function given to asgi() as it was', () => {
    const app = async (): Promise<void> => Promise.resolve();
    asgi(app);
    expect(styleOf(app)).toBe('fetch');
  });
});

describe('the app among exports', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ['default first', { app: fetchApp, default: fetchApp }, 'default'],
    ['app', { config: {}, app: fetchApp, handler: fetchApp }, 'app'],
    ['application', { application: { fetch: fetchApp } }, 'application'],
    ['handler', { handler: fetchApp }, 'handler'],
    ['past a default that is none', { default: { port: 80 }, handler: fetchApp }, 'handler'],
    ['inside a CommonJS default', { default: { app: fetchApp, version: 1 } }, 'default.app'],
  ])('%s', (_name, exports, exportName) => {
    expect(selectApp(exports)).toMatchObject({ exportName, style: 'fetch' });
  });

  it('is the one that was named', () => {
    const inner = { fetch: fetchApp };
    expect(selectApp({ default: fetchApp, admin: inner }, { exportName: 'admin' }).app).toBe(inner);
    expect(selectApp({ apps: { admin: inner } }, { exportName: 'apps.admin' }).app).toBe(inner);
    expect(selectApp({ default: { admin: inner } }, { exportName: 'admin' }).app).toBe(inner);
    expect(() => selectApp({ default: fetchApp }, { exportName: 'constructor' })).toThrow(/no app named constructor/);
  });

  it('lists what is there when there is none', () => {
    const exports = { port: 80, App, names: [] };
    expect(() => selectApp(exports, { moduleName: 'server.js' })).toThrow(
      'server.js exports no app, only port (number), App (class), names (array)',
    );
    expect(() => selectApp({})).toThrow(/only nothing/);
  });

  it('has the style that was asked for', () => {
    expect(selectApp({ default: three }, { style: 'asgi' }).style).toBe('asgi');
  });
});

describe('mounting', () => {
  it.each<[string, unknown, RegExp]>([
    ['Express', express, /Express apps \(Node-style\) are not supported yet/],
    ['Koa', koa, /Koa/],
    ['Fastify', fastify, /Fastify/],
    ['a Node-style function', nodeApp((): void => undefined), /^Node-style apps are not supported yet/],
    ['a class', App, /not class/],
    ['nothing', undefined, /not undefined/],
  ])('refuses %s with one clear error', (_name, app, message) => {
    expect(() => mountApp(app, new FakeHost())).toThrow(ConfigurationError);
    expect(() => mountApp(app, new FakeHost())).toThrow(message);
  });

  it('follows the override', () => {
    expect(mountApp(three, new FakeHost(), 'asgi').style).toBe('asgi');
    expect(mountApp(fetchApp, new FakeHost()).style).toBe('fetch');
    expect(() => mountApp({ fetch: fetchApp }, new FakeHost(), 'asgi')).toThrow(/ASGI-style app is a function/);
  });
});
