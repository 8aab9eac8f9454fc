/** Where we differ from llhttp, each with the reason. */
export const llhttpDifferences: Readonly<Record<string, string>> = {
  'request/content-length.md:444':
    'llhttp is told by its user to skip the body; a server waits for it. RFC 9112 section 6.3',
  'request/invalid.md:66':
    'ANNOUNCE is a token, and an unknown method is the application’s to answer. RFC 9110 section 9.1',
  'request/invalid.md:356':
    'MKCOLA is a token, and an unknown method is the application’s to answer. RFC 9110 section 9.1',
  'request/method.md:96': 'CONNECT with content is refused. RFC 9110 section 9.3.6',
  'request/method.md:135': 'the target * belongs to OPTIONS alone. RFC 9112 section 3.2.4',
  'request/method.md:372': 'ICE/1.0 is no HTTP-version. RFC 9112 section 2.3',
  'request/method.md:400': 'RTSP/1.0 is no HTTP-version. RFC 9112 section 2.3',
  'request/method.md:430': 'RTSP/1.0 is no HTTP-version. RFC 9112 section 2.3',
  'request/method.md:458': 'the HTTP/2 preface on a server that has no HTTP/2. RFC 9113 section 3.4',
  'request/sample.md:314': 'HTTP/0.9 is not spoken: a request-line has a version. RFC 9112 section 3',
  'request/transfer-encoding.md:186': 'Content-Type in a trailer section is refused. RFC 9110 section 6.5.1',
  'request/transfer-encoding.md:751':
    'a fragment is no part of a request-target; and deflate is not undone. RFC 9112 section 3.2',
  'request/transfer-encoding.md:793':
    'a fragment is no part of a request-target; and deflate is not undone. RFC 9112 section 3.2',
  'request/uri.md:52': 'an empty path of an absolute-form target becomes /. RFC 9112 section 3.2.1',
  'request/uri.md:75': 'an empty path of an absolute-form target becomes /. RFC 9112 section 3.2.1',
  'request/uri.md:125': 'an empty path of an absolute-form target becomes /. RFC 9112 section 3.2.1',
  'request/uri.md:165': 'a fragment is no part of a request-target. RFC 9112 section 3.2',
  'request/uri.md:222': 'user information in an http target is refused. RFC 9110 section 4.2.4',
  'response/connection.md:293': '101 answers no request that offered Upgrade. RFC 9110 section 15.2.2',
  'response/connection.md:331': '101 answers no request that offered Upgrade. RFC 9110 section 15.2.2',
  'response/connection.md:492': 'only servers skip empty lines before a message. RFC 9112 section 2.2',
  'response/connection.md:586': 'only servers skip empty lines before a message. RFC 9112 section 2.2',
  'response/content-length.md:123':
    'llhttp is told by its user to skip the body; a client waits for it. RFC 9112 section 6.3',
  'response/pipelining.md:4': 'only servers skip empty lines before a message. RFC 9112 section 2.2',
  'response/sample.md:40': 'RTSP/1.1 is no HTTP-version. RFC 9112 section 2.3',
  'response/sample.md:60': 'ICY/1.0 is no HTTP-version. RFC 9112 section 2.3',
  'response/sample.md:645': 'HTTP/0.9 is not spoken. RFC 9112 section 2.3',
  'response/sample.md:695': 'only servers skip empty lines before a message. RFC 9112 section 2.2',
  'response/transfer-encoding.md:43':
    'a coding that was never asked for (TE) is not undone, so its content is refused, not passed on. RFC 9112 section 7',
  'response/transfer-encoding.md:74':
    'a coding that was never asked for (TE) is not undone, so its content is refused, not passed on. RFC 9112 section 7',
  'response/transfer-encoding.md:110': 'chunkedchunked is no coding that we know. RFC 9112 section 7',
};
