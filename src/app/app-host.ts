/**
 * What an app's adapter needs of the server around it, and what the server gets back.
 *
 * Owns the interfaces. The server implements {@link AppHost}; mount.ts makes {@link MountedApp}s.
 *
 * @module
 */
import type { HeaderList } from '../common/index.ts';
import type { ServerExchange } from '../connections/index.ts';
import type { AppStyle } from './app-types.ts';

/** What an app was doing when it failed. */
export type AppFailureKind = 'request' | 'body' | 'waitUntil' | 'lifespan';

/** The body of a response that the server makes itself. */
export interface ErrorPage {
  readonly contentType: string;
  readonly body: string;
}

/** The server around an app. No member throws. */
export interface AppHost {
  /** Whether responses may show stack traces. */
  readonly dev: boolean;
  /**
   * Fields of every final response that the app did not set itself: Date (RFC 9110 section 6.6.1), Server, and Alt-Svc
   * where the endpoint has more to offer (RFC 7838).
   */
  responseFields(exchange: ServerExchange): HeaderList;
  /** The body of an error response; `error` for what the app threw. */
  errorPage(status: number, error: unknown, exchange: ServerExchange): ErrorPage;
  /** Told of what failed in the app. `exchange` is `undefined` outside requests. */
  report(error: unknown, kind: AppFailureKind, exchange: ServerExchange | undefined): void;
  /** Keeps the server from ending before the promise is settled. */
  waitUntil(promise: PromiseLike<unknown>, exchange: ServerExchange): void;
  /** An exchange is over. `status` is 0 when no head was sent. */
  exchangeEnded(exchange: ServerExchange, status: number): void;
}

/** An app in the form that a server drives. */
export interface MountedApp {
  readonly style: AppStyle;
  /** Answers an exchange. Called synchronously when a request has come; never throws. */
  answer(exchange: ServerExchange): void;
  /** Before the first request. @throws AppError when the app says that it cannot start */
  startup(): Promise<void>;
  /** After the last request. Failures are reported, not thrown. */
  shutdown(): Promise<void>;
}
