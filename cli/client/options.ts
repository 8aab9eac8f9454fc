/**
 * `hface-ts client` as data: curl's names and letters for what we have, the names that we refuse, examples.
 *
 * @module
 */
import type { CommandDescription } from '../option-table.ts';
import { flag, list, text } from '../option-table.ts';

/** Options of curl that we do not have: refused by name, so that nothing is silently left out. */
const refusedCurlOptions: ReadonlySet<string> = new Set(
  (
    'abstract-unix-socket alt-svc anyauth append aws-sigv4 basic ca-native capath cert-status cert-type ciphers ' +
    'compressed-ssh config connect-timeout connect-to continue-at cookie cookie-jar create-dirs create-file-mode crlf ' +
    'crlfile curves data-ascii data-binary data-raw data-urlencode delegation digest disable disable-eprt disable-epsv ' +
    'disallow-username-in-url dns-interface dns-ipv4-addr dns-ipv6-addr dns-servers doh-cert-status doh-insecure ' +
    'doh-url dump-header ech egd-file engine etag-compare etag-save expect100-timeout fail-early fail-with-body ' +
    'false-start form-escape form-string ftp-account get globoff happy-eyeballs-timeout-ms haproxy-protocol help hsts ' +
    'http0.9 http1.0 http1.1 http2-prior-knowledge http3 http3-only ignore-content-length interface ip-tos ' +
    'ipfs-gateway ipv4 ipv6 json junk-session-cookies keepalive-cnt keepalive-time key-type krb libcurl limit-rate ' +
    'local-port location-trusted login-options manual max-filesize negotiate netrc netrc-file netrc-optional next ' +
    'no-alpn no-buffer no-clobber no-keepalive no-npn no-progress-meter no-sessionid noproxy ntlm oauth2-bearer ' +
    'output-dir parallel-immediate parallel-max path-as-is pinnedpubkey post301 post302 post303 preproxy ' +
    'progress-bar proto proto-default proto-redir proxy proxy-anyauth proxy-basic proxy-cacert proxy-capath proxy-cert ' +
    'proxy-ciphers proxy-digest proxy-header proxy-http2 proxy-insecure proxy-key proxy-negotiate proxy-ntlm ' +
    'proxy-pass proxy-user proxy1.0 proxytunnel pubkey quote random-file range rate raw referer remote-header-name ' +
    'remote-name-all remote-time remove-on-error request-target resolve retry retry-all-errors retry-connrefused ' +
    'retry-delay retry-max-time service-name socks4 socks4a socks5 socks5-hostname speed-limit speed-time ssl ssl-reqd ' +
    'sslv2 sslv3 stderr styled-output suppress-connect-headers tcp-fastopen tcp-nodelay telnet-option tftp-blksize ' +
    'time-cond tls-max tls13-ciphers tlsv1 tlsv1.0 tlsv1.1 tlsv1.2 tlsv1.3 tr-encoding trace trace-ascii trace-config ' +
    'trace-ids trace-time unix-socket upload-file url url-query use-ascii user-agent variable version vlan-priority xattr ' +
    'a A b B c C D e G g h j J K l M n N p P q Q r R t T U V x y Y z Z # : 0 1 2 3 4 6'
  ).split(' '),
);

/** What the parser, the help and the documentation know of the command. */
export const clientCommand: CommandDescription = {
  command: 'client',
  usage: 'hface-ts client URL… [options]',
  summary:
    "Sends requests and prints the responses. Options are curl's, as far as there are any. Several URLs are asked for " +
    'at once over one session; what they answer is printed in their order.',
  options: [
    text('request', 'X', 'METHOD', 'the method (default: GET, or POST with -d and -F)'),
    list('data', 'd', 'DATA', 'send as the body; @FILE reads a file, @- stdin; several are joined by &'),
    list('header', 'H', 'FIELD', '"Name: value"; "Name:" takes a default field away; @FILE reads them from a file'),
    list('form', 'F', 'PART', 'a part of multipart/form-data: name=value, name=@FILE;type=…;filename=…, name=<FILE'),
    flag('head', 'I', 'send HEAD and print the head'),
    flag('include', 'i', 'print the head of the response before its body'),
    list('output', 'o', 'FILE', 'write the body to FILE, - is stdout; once for each URL'),
    flag('remote-name', 'O', 'write each body to a new file, named as at the end of its URL'),
    flag('verbose', 'v', 'show each protocol event on stderr; credentials are left out'),
    flag('silent', 's', 'no messages'),
    flag('show-error', 'S', 'with -s, errors all the same'),
    flag('insecure', 'k', 'accept any certificate'),
    flag('fail', 'f', 'a status of 400 or above is an error (exit code 22) and prints no body'),
    flag('location', 'L', 'follow redirects; credentials are for the first origin only'),
    text('max-redirs', undefined, 'COUNT', 'with -L, follow at most so many (default 20)'),
    text('user', 'u', 'USER:PASSWORD', 'basic authentication'),
    text('max-time', 'm', 'SECONDS', 'the most that a whole transfer may take'),
    text(
      'write-out',
      'w',
      'FORMAT',
      "print after each transfer, with curl's variables such as %{http_code}; @FILE reads it",
    ),
    text('cacert', undefined, 'FILE', "trust these authorities instead of the system's"),
    text('cert', 'E', 'FILE', "the client's own certificate in PEM"),
    text('key', undefined, 'FILE', 'its private key (default: in the same file)'),
    text('pass', undefined, 'PHRASE', 'what opens the key'),
    flag('tcp', undefined, 'only the versions that run over TCP'),
    flag('http1', undefined, 'only HTTP/1.1, or with --http2 both'),
    flag('http2', undefined, 'only HTTP/2, without TLS with prior knowledge'),
    text('http1-impl', undefined, 'NAME', 'the implementation of HTTP/1.1: hface, node (node:http), or what a module registers'),
    text('http2-impl', undefined, 'NAME', 'the implementation of HTTP/2 by its registered name'),
    text('parallel', undefined, 'COUNT', 'the most transfers at once (default 32)'),
    list('engine-module', undefined, 'FILE', 'a module that registers further implementations; may be repeated'),
    flag('compressed', undefined, 'ask for compressed content and decode it'),
    flag('no-dev-ca', undefined, 'do not trust the development CA for loopback names'),
    text('keylog', undefined, 'FILE', 'append the secrets of TLS to the file; whoever reads it reads the traffic'),
  ],
  refused: refusedCurlOptions,
  examples: [
    ['hface-ts client https://localhost:5443/', 'print a page; the development CA is trusted for loopback names'],
    ["hface-ts client -d 'name=value' http://localhost:5080/form", 'post a form'],
    [
      "hface-ts client -H 'accept: application/json' -i http://localhost:5080/",
      'a field of your own, and the head too',
    ],
    ['hface-ts client -v https://localhost:5443/', 'each protocol event, as it comes'],
    ['hface-ts client -o a.html -o b.html localhost:5080/a localhost:5080/b', 'two at once over one session'],
    ["hface-ts client -s -o page.html -w '%{http_code} %{time_total}\\n' localhost:5080", 'the status and the time'],
  ],
  words: { least: 1, most: 10_000, name: 'a URL' },
};
