/**
 * The Connection field, read.
 *
 * Owns: the options that mean something here (close, keep-alive, upgrade) and the names of the fields that end at this
 * connection (RFC 9110 section 7.6.1, RFC 9112 section 9.3), and the splitting of a comma-separated list.
 *
 * @module
 */
import { isToken, trimOws } from '../../wire/index.ts';
import { quoted } from '../semantics/index.ts';
import { fault } from './faults.ts';

/** What one message's Connection fields say. */
export class ConnectionOptions {
  close: boolean;
  keepAlive: boolean;
  upgrade: boolean;
  /** Other fields that are named, lowercase; `undefined` for none. */
  named: string[] | undefined;

  constructor() {
    this.close = false;
    this.keepAlive = false;
    this.upgrade = false;
    this.named = undefined;
  }

  /** Forgets the message before. */
  clear(): void {
    this.close = false;
    this.keepAlive = false;
    this.upgrade = false;
    this.named = undefined;
  }

  /**
   * Reads one field line.
   *
   * @throws RemoteProtocolError when an option is no token, or names a field that frames or routes the message: taking
   *   it out would give the message another meaning than the peer's other recipients see
   */
  read(value: string): void {
    // The two values that nearly every message has.
    if (value === 'keep-alive') {
      this.keepAlive = true;
      return;
    }
    if (value === 'close') {
      this.close = true;
      return;
    }
    for (const member of memberList(value)) this.#option(member.toLowerCase());
  }

  #option(option: string): void {
    switch (option) {
      case 'close':
        this.close = true;
        return;
      case 'keep-alive':
        this.keepAlive = true;
        return;
      case 'upgrade':
        this.upgrade = true;
        return;
      case 'host':
      case 'content-length':
      case 'transfer-encoding':
        throw fault(`Connection names ${option}`);
      default:
        if (!isToken(option)) throw fault(`the connection option ${quoted(option)} is no token`);
        (this.named ??= []).push(option);
    }
  }
}

/** The members of a comma-separated list without empty ones (RFC 9110 section 5.6.1.2). For values without quotes. */
export function memberList(value: string): string[] {
  const members: string[] = [];
  let start = 0;
  while (start <= value.length) {
    const comma = value.indexOf(',', start);
    const end = comma < 0 ? value.length : comma;
    const member = trimOws(value, start, end);
    if (member !== '') members.push(member);
    start = end + 1;
  }
  return members;
}
