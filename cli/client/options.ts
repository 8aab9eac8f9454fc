/**
 * `hface-ts client` as data: curl's names and letters for what we have, the names that we refuse, examples.
 *
 * @module
 */
import type { CommandDescription, OptionSection } from '../option-table.ts';
import { flag, list, text } from '../option-table.ts';
import { engineModuleOption, engineOptions, tcpVersionOptions, tracingOptions } from '../protocol-options.ts';

/** Options of curl that we do not have: refused by name, so that nothing is silently left out. */
const refusedCurlOptions: ReadonlySet<string> = new Set(
  (
    'abstract-unix-socket alt-svc anyauth append aws-sigv4 basic ca-native capath cert-status cert-type ciphers ' +
    'compressed-ssh config continue-at create-file-mode crlf crlfile curves delegation digest disable ' +
    'disable-eprt disable-epsv disallow-username-in-url dns-interface dns-ipv4-addr dns-ipv6-addr dns-servers ' +
    'doh-cert-status doh-insecure doh-url dump-ca-embed dump-header ech egd-file engine etag-compare etag-save ' +
    'expect100-timeout fail-early false-start follow form-escape form-string ftp-account ftp-alternative-to-user ' +
    'ftp-create-dirs ftp-method ftp-pasv ftp-port ftp-pret ftp-skip-pasv-ip ftp-ssl-ccc ftp-ssl-ccc-mode ' +
    'ftp-ssl-control globoff happy-eyeballs-timeout-ms haproxy-protocol help hostpubmd5 hostpubsha256 hsts ' +
    'http0.9 http1.0 http1.1 http2-prior-knowledge ignore-content-length interface ip-tos ' +
    'ipfs-gateway keepalive-cnt keepalive-time key-type krb libcurl limit-rate list-only local-port ' +
    'location-trusted login-options mail-auth mail-from mail-rcpt mail-rcpt-allowfails manual max-filesize ' +
    'metalink mptcp negotiate netrc netrc-file netrc-optional next no-alpn no-clobber no-keepalive no-npn ' +
    'no-sessionid noproxy ntlm ntlm-wb oauth2-bearer out-null output-dir parallel-immediate parallel-max ' +
    'parallel-max-host path-as-is pinnedpubkey post301 post302 post303 preproxy proto proto-default proto-redir ' +
    'proxy proxy-anyauth proxy-basic proxy-ca-native proxy-cacert proxy-capath proxy-cert proxy-cert-type ' +
    'proxy-ciphers proxy-crlfile proxy-digest proxy-header proxy-http2 proxy-insecure proxy-key proxy-key-type ' +
    'proxy-negotiate proxy-ntlm proxy-pass proxy-pinnedpubkey proxy-service-name proxy-ssl-allow-beast ' +
    'proxy-ssl-auto-client-cert proxy-tls13-ciphers proxy-tlsauthtype proxy-tlspassword proxy-tlsuser proxy-tlsv1 ' +
    'proxy-user proxy1.0 proxytunnel pubkey quote random-file range rate raw remote-name-all remote-time ' +
    'remove-on-error request-target sasl-authzid sasl-ir service-name signature-algorithms skip-existing socks4 ' +
    'socks4a socks5 socks5-basic socks5-gssapi socks5-gssapi-nec socks5-gssapi-service socks5-hostname ' +
    'speed-limit speed-time ssl ssl-allow-beast ssl-auto-client-cert ssl-no-revoke ssl-reqd ' +
    'ssl-revoke-best-effort ssl-sessions sslv2 sslv3 stderr styled-output suppress-connect-headers tcp-fastopen ' +
    'tcp-nodelay telnet-option tftp-blksize tftp-no-options time-cond tls-max tls13-ciphers tlsauthtype ' +
    'tlspassword tlsuser tlsv1 tlsv1.0 tlsv1.1 tlsv1.2 tlsv1.3 tr-encoding trace trace-ascii trace-config ' +
    'trace-ids trace-time upload-flags url url-query use-ascii variable version vlan-priority xattr 0 1 2 3 : B C ' +
    'D K M P Q R U V Y Z a g h l n p q r t x y z'
  ).split(' '),
);

const request: OptionSection = {
  title: 'The request',
  options: [
    text('request', 'X', 'METHOD', 'the method (default: GET, or POST with -d and -F, PUT with -T)'),
    list('header', 'H', 'FIELD', '"Name: value"; "Name:" takes a default field away; @FILE reads them from a file'),
    text('user-agent', 'A', 'NAME', 'what the client calls itself; an empty NAME: nothing'),
    text('referer', 'e', 'URL', 'where the request comes from; with ";auto" behind it, redirects name the URL before'),
    text('user', 'u', 'USER:PASSWORD', 'basic authentication'),
    flag('head', 'I', 'send HEAD and print the head'),
    flag('get', 'G', 'put the data of -d and its kin behind the URL, and send GET'),
    flag('compressed', undefined, 'ask for compressed content and decode it'),
  ],
};

const body: OptionSection = {
  title: 'Its body',
  options: [
    list('data', 'd', 'DATA', 'send as the body; @FILE reads a file, @- stdin; several are joined by &'),
    list('data-ascii', undefined, 'DATA', 'the same'),
    list('data-binary', undefined, 'DATA', 'the same, with the line ends of a file as they are'),
    list('data-raw', undefined, 'DATA', 'the same, without a meaning of @'),
    list('data-urlencode', undefined, 'DATA', 'percent-encoded: content, =content, name=content, @FILE, name@FILE'),
    list('json', undefined, 'DATA', 'as --data-binary, with Content-Type and Accept of application/json'),
    list('form', 'F', 'PART', 'a part of multipart/form-data: name=value, name=@FILE;type=…;filename=…, name=<FILE'),
    list(
      'upload-file',
      'T',
      'FILE',
      'send the file by PUT, - is stdin; once for each URL; a URL that ends in / gets its name',
    ),
  ],
};

const output: OptionSection = {
  title: 'The output',
  options: [
    list('output', 'o', 'FILE', 'write the body to FILE, - is stdout; once for each URL'),
    flag('remote-name', 'O', 'write each body to a new file, named as at the end of its URL'),
    flag('remote-header-name', 'J', 'with -O, named as the server says, where it does'),
    flag('create-dirs', undefined, 'make the folders of -o'),
    flag('include', 'i', 'print the head of the response before its body'),
    flag('fail', 'f', 'a status of 400 or above is an error (exit code 22) and prints no body'),
    flag('fail-with-body', undefined, 'the same, but the body is printed'),
    text(
      'write-out',
      'w',
      'FORMAT',
      "print after each transfer, with curl's variables such as %{http_code}; @FILE reads it",
    ),
    flag('no-buffer', 'N', 'output at once, which is what happens without it too'),
    flag('verbose', 'v', 'show each protocol event on stderr; credentials are left out'),
    flag('silent', 's', 'no messages, no progress'),
    flag('show-error', 'S', 'with -s, errors all the same'),
    flag('progress-bar', '#', 'show progress as a bar'),
    flag('no-progress-meter', undefined, 'show no progress, but messages'),
  ],
};

const course: OptionSection = {
  title: 'Redirects, times, retries',
  options: [
    flag('location', 'L', 'follow redirects; credentials are for the first origin only'),
    text('max-redirs', undefined, 'COUNT', 'with -L, follow at most so many (default 20)'),
    text('max-time', 'm', 'SECONDS', 'the most that a whole transfer may take'),
    text('connect-timeout', undefined, 'SECONDS', 'the most that connecting may take, TLS included'),
    text('retry', undefined, 'COUNT', 'try again after a timeout, an unknown host, or 408, 429, 500, 502, 503, 504'),
    text('retry-delay', undefined, 'SECONDS', 'wait so long each time (default: 1, 2, 4 …, or what Retry-After says)'),
    text('retry-max-time', undefined, 'SECONDS', 'begin no further try after so long'),
    flag('retry-connrefused', undefined, 'with --retry, also when the connection is refused'),
    flag('retry-all-errors', undefined, 'with --retry, after any error'),
  ],
};

const cookies: OptionSection = {
  title: 'Cookies',
  options: [
    list('cookie', 'b', 'DATA', '"name=value; …" to send, or a file of cookies to begin with'),
    text('cookie-jar', 'c', 'FILE', 'write all cookies to FILE at the end, - is stdout'),
    flag('junk-session-cookies', 'j', 'with -b FILE, leave out those that end with the session'),
  ],
};

const connection: OptionSection = {
  title: 'The connection',
  options: [
    flag('ipv4', '4', 'only IPv4 addresses'),
    flag('ipv6', '6', 'only IPv6 addresses'),
    list('resolve', undefined, 'HOST:PORT:ADDRESS', 'the addresses of a host, several with commas; HOST may be *'),
    list(
      'connect-to',
      undefined,
      'HOST:PORT:HOST:PORT',
      'connect to the second in place of the first; empty: any, or the same',
    ),
    text('unix-socket', undefined, 'FILE', 'connect to this socket, whatever the host'),
    ...tcpVersionOptions,
    flag('http3', undefined, 'try HTTP/3 first, and other versions over TCP if that is not quick'),
    flag('http3-only', undefined, 'only HTTP/3'),
    ...engineOptions('wrapper (http2-wrapper)'),
    text('parallel', undefined, 'COUNT', 'the most transfers at once (default 32)'),
    engineModuleOption,
  ],
};

const trust: OptionSection = {
  title: 'TLS',
  options: [
    flag('insecure', 'k', 'accept any certificate'),
    text('cacert', undefined, 'FILE', "trust these authorities instead of the system's"),
    text('cert', 'E', 'FILE', "the client's own certificate in PEM"),
    text('key', undefined, 'FILE', 'its private key (default: in the same file)'),
    text('pass', undefined, 'PHRASE', 'what opens the key'),
    flag('no-dev-ca', undefined, 'do not trust the development CA for loopback names'),
    ...tracingOptions,
  ],
};

const sections: readonly OptionSection[] = [request, body, output, course, cookies, connection, trust];

/** What the parser, the help and the documentation know of the command. */
export const clientCommand: CommandDescription = {
  command: 'client',
  usage: 'hface-ts client URL… [options]',
  summary:
    "Sends requests and prints the responses. Options are curl's, as far as there are any. Several URLs are asked for " +
    'at once over one session; what they answer is printed in their order.',
  options: sections.flatMap((section) => section.options),
  sections,
  refused: refusedCurlOptions,
  examples: [
    ['hface-ts client https://localhost:5443/', 'print a page; the development CA is trusted for loopback names'],
    ["hface-ts client -d 'name=value' http://localhost:5080/form", 'post a form'],
    [`hface-ts client --json '{"name":"value"}' http://localhost:5080/`, 'post JSON'],
    [
      "hface-ts client -H 'accept: application/json' -i http://localhost:5080/",
      'a field of your own, and the head too',
    ],
    ['hface-ts client -T page.html http://localhost:5080/files/', 'upload a file by PUT'],
    ['hface-ts client -v https://localhost:5443/', 'each protocol event, as it comes'],
    ['hface-ts client -o a.html -o b.html localhost:5080/a localhost:5080/b', 'two at once over one session'],
    ["hface-ts client -s -o page.html -w '%{http_code} %{time_total}\\n' localhost:5080", 'the status and the time'],
    ['hface-ts client -L -b jar.txt -c jar.txt http://localhost:5080/login', 'keep cookies in a file'],
    ['hface-ts client --retry 5 --retry-connrefused http://localhost:5080/', 'wait for a server that starts'],
    [
      'hface-ts client --resolve www.example.com:443:127.0.0.1 https://www.example.com/',
      'another server under a real name',
    ],
  ],
  words: { least: 1, most: 10_000, name: 'a URL' },
};
