/**
 * TLS messages of other implementations: aioquic's, RFC 8448's, Botan's with what is wrong in each, and picotls' corpora.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { Alert, TlsFault } from '../../src/tls/alerts.ts';
import { readClientHello, writeClientHello } from '../../src/tls/client-hello.ts';
import { ExtensionType } from '../../src/tls/extensions.ts';
import { HandshakeStream, HandshakeType } from '../../src/tls/handshake-types.ts';
import type { HandshakeMessage } from '../../src/tls/handshake-types.ts';
import {
  readCertificate,
  readCertificateRequest,
  readCertificateVerify,
  readEncryptedExtensions,
  readNewSessionTicket,
  writeCertificate,
  writeCertificateVerify,
  writeEncryptedExtensions,
  writeFinished,
  writeNewSessionTicket,
} from '../../src/tls/server-flight.ts';
import { readServerHello, RETRY_RANDOM, writeServerHello } from '../../src/tls/server-hello.ts';

const folder = import.meta.dirname;

/** The one message in some bytes. */
function onlyMessage(bytes: Uint8Array): HandshakeMessage {
  const stream = new HandshakeStream();
  stream.push(bytes);
  const message = stream.next();
  if (message === undefined || stream.waitingType !== undefined) throw new Error('not one message');
  return message;
}

/** Reads a message of any type and writes it again; `undefined` for what we only read. */
function again({ type, body }: HandshakeMessage): Uint8Array | undefined {
  switch (type) {
    case HandshakeType.clientHello:
      return writeClientHello(readClientHello(body));
    case HandshakeType.serverHello:
      return writeServerHello(readServerHello(body));
    case HandshakeType.encryptedExtensions:
      return writeEncryptedExtensions(readEncryptedExtensions(body).extensions);
    case HandshakeType.certificate: {
      const { context, chain } = readCertificate(body, new Set());
      return writeCertificate(context, chain);
    }
    case HandshakeType.certificateVerify:
      return writeCertificateVerify(readCertificateVerify(body));
    case HandshakeType.finished:
      return writeFinished(body);
    case HandshakeType.newSessionTicket:
      return writeNewSessionTicket(readNewSessionTicket(body));
    case HandshakeType.certificateRequest:
      expect(readCertificateRequest(body).signatureSchemes.length).toBeGreaterThan(0);
      return undefined;
    default:
      throw new Error(`message ${String(type)}`);
  }
}

describe("aioquic's messages", () => {
  const files = readdirSync(path.join(folder, 'aioquic-tls')).filter((name) => name.endsWith('.bin'));

  it('are sixteen', () => expect(files.length).toBe(16));

  it.each(files)('%s', (name) => {
    const bytes = readFileSync(path.join(folder, 'aioquic-tls', name));
    const written = again(onlyMessage(bytes));
    if (name.includes('unknown_extension')) {
      // What we know nothing of is passed over, and only a hello keeps it.
      expect(Buffer.from(written ?? []).length).toBeLessThanOrEqual(bytes.length);
    } else if (written !== undefined) expect(Buffer.from(written)).toEqual(bytes);
  });
});

describe("RFC 8448's messages", () => {
  const { sections } = JSON.parse(readFileSync(path.join(folder, 'rfc', 'rfc8448-tls13-traces.json'), 'utf8')) as {
    sections: { title: string; messages: Record<string, string> }[];
  };
  const rows = sections.flatMap(({ title, messages }) =>
    Object.entries(messages).map(([name, text]): [string, string, string] => [title, name, text]),
  );

  it.each(rows)('%s: %s', (_title, name, text) => {
    const message = onlyMessage(Buffer.from(text, 'hex'));
    // QUIC has no EndOfEarlyData (RFC 9001 section 8.3).
    if (name === 'client_EndOfEarlyData') expect(message.type).toBe(HandshakeType.endOfEarlyData);
    else expect(Buffer.from(again(message) ?? message.whole).toString('hex')).toBe(text);
  });
});

interface BotanCase {
  readonly bytes: Buffer;
  readonly exception: string;
  readonly type: string;
}

function botanCases(name: string): BotanCase[] {
  const text = readFileSync(path.join(folder, 'botan-tls', name), 'utf8');
  const cases: BotanCase[] = [];
  for (const group of text.split(/^(?=Buffer =)/m).slice(1)) {
    const field = (key: string): string => new RegExp(`^${key} =[ ]*(.*)$`, 'm').exec(group)?.[1] ?? '';
    cases.push({
      bytes: Buffer.from(field('Buffer'), 'hex'),
      exception: field('Exception'),
      type: field('Message_Type'),
    });
  }
  return cases;
}

function fault(read: () => unknown): number | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (error instanceof TlsFault) return error.alert;
    throw error;
  }
}

describe("Botan's messages", () => {
  const hellos: [string, (body: Uint8Array) => unknown][] = [
    ['client_hello.vec', readClientHello],
    ['server_hello.vec', readServerHello],
  ];

  it.each(hellos)('%s', (name, read) => {
    let malformed = 0;
    for (const { bytes, exception, type } of botanCases(name)) {
      const alert = fault(() => read(bytes));
      // RFC 8446 section 4.2.1: where supported_versions stands, legacy_version decides nothing.
      const lenient = exception.includes('legacy_version');
      if (exception !== '' && !lenient) {
        expect(alert, exception).toBeDefined();
        malformed += 1;
      } else if (type.endsWith('_13')) {
        expect(alert).toBeUndefined();
      }
    }
    expect(malformed).toBeGreaterThan(3);
  });

  const random = Buffer.alloc(32, 1);
  const sessionId = Buffer.alloc(0);
  const inClientHello =
    (type: number) =>
    (data: Uint8Array): unknown =>
      readClientHello(
        writeClientHello({ random, sessionId, cipherSuites: [0x1301], extensions: new Map([[type, data]]) }).subarray(
          4,
        ),
      );
  const inServerHello =
    (type: number, of: Uint8Array) =>
    (data: Uint8Array): unknown =>
      readServerHello(
        writeServerHello({ random: of, sessionId, cipherSuite: 0x1301, extensions: new Map([[type, data]]) }).subarray(
          4,
        ),
      );
  const extensions: [string, (data: Uint8Array) => unknown][] = [
    ['alpn.vec', inClientHello(ExtensionType.applicationLayerProtocolNegotiation)],
    ['cookie.vec', inClientHello(ExtensionType.cookie)],
    ['key_share_CH.vec', inClientHello(ExtensionType.keyShare)],
    ['key_share_SH.vec', inServerHello(ExtensionType.keyShare, random)],
    ['key_share_HRR.vec', inServerHello(ExtensionType.keyShare, RETRY_RANDOM)],
    ['supported_groups.vec', inClientHello(ExtensionType.supportedGroups)],
    ['supported_versions.vec', inClientHello(ExtensionType.supportedVersions)],
  ];

  it.each(extensions)('extensions/%s', (name, read) => {
    for (const { bytes, exception } of botanCases(path.join('extensions', name))) {
      const alert = fault(() => read(bytes));
      if (exception === '') expect(alert).toBeUndefined();
      else expect([Alert.decodeError, Alert.illegalParameter], exception).toContain(alert);
    }
  });
});

describe("picotls' corpora", () => {
  const corpora: [string, (body: Uint8Array) => unknown, number][] = [
    ['client-hello.jsonl', readClientHello, 665],
    ['server-hello.jsonl', readServerHello, 384],
  ];

  it.each(corpora)('%s: a value or a fault', (name, read, count) => {
    const lines = readFileSync(path.join(folder, 'picotls', name), 'utf8')
      .trim()
      .split('\n');
    expect(lines.length).toBe(count);
    let parsed = 0;
    for (const line of lines) {
      const bytes = Buffer.from((JSON.parse(line) as { base64: string }).base64, 'base64');
      // They stand in records: past the headers of record and message there is a body.
      for (const start of [0, 5, 9]) if (fault(() => read(bytes.subarray(start))) === undefined) parsed += 1;
    }
    expect(parsed).toBeGreaterThan(0);
  });
});
