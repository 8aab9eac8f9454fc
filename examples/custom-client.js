// A client of one's own on HttpConnection: one connection, driven event by event.
// The loop is the same for every version of HTTP.
//
//   node examples/custom-server.js 5080
//   node examples/custom-client.js http://localhost:5080/
import { originOf } from 'hface-ts/common';
import { defaultClientFactory, HttpOverTcpOpener, systemNetworking } from 'hface-ts/connections';

const url = new URL(process.argv[2] ?? 'http://localhost:5080/');
const opener = new HttpOverTcpOpener({ networking: systemNetworking(), factory: defaultClientFactory() });
const connection = await opener.open({ origin: originOf(url) });
console.log('connected, HTTP version', connection.facts.httpVersion);

for (const text of ['hello', 'again, over the same connection']) console.log(await post(text));
await connection.shutdown();

/**
 * Sends a text and resolves with what comes back.
 * @param {string} text the content
 * @returns {Promise<string>} the content of the response
 */
async function post(text) {
  const streamId = connection.getAvailableStreamId();
  const content = new TextEncoder().encode(text);
  const target = [
    ':method',
    'POST',
    ':scheme',
    url.protocol.slice(0, -1),
    ':authority',
    url.host,
    ':path',
    url.pathname,
  ];
  const fields = ['content-type', 'text/plain', 'content-length', String(content.length)];
  connection.sendHeaders(streamId, [...target, ...fields], { endStream: false });
  await connection.sendData(streamId, content, { endStream: true });

  const decoder = new TextDecoder();
  let answer = '';
  for (;;) {
    const event = await connection.receiveEvent();
    if (event === undefined || event.type === 'ConnectionTerminated') throw new Error('the connection ended');
    if (event.type === 'HeadersReceived') console.log('status', event.headers[1]);
    if (event.type === 'StreamResetReceived' || event.type === 'StreamResetSent') throw event.error;
    if (event.type === 'DataReceived') answer += decoder.decode(event.data, { stream: !event.endStream });
    if (event.type === 'StreamClosed') return answer;
  }
}
