/**
 * Media types by file extension.
 *
 * Owns the table: the types of the web, with `charset=utf-8` where text needs it. Whatever is not in it is
 * `application/octet-stream`; the option `types` adds to it.
 *
 * @module
 */

/** What has no better type. */
export const defaultContentType = 'application/octet-stream';

/** The type of a file by its name. `types`: further ones by extension, without the dot. */
export function contentTypeOf(name: string, types: Readonly<Record<string, string>> = {}): string {
  const dot = name.lastIndexOf('.');
  if (dot <= 0) return defaultContentType;
  const extension = name.slice(dot + 1).toLowerCase();
  if (Object.hasOwn(types, extension)) return types[extension] as string;
  return TYPES.get(extension) ?? defaultContentType;
}

/** Whether a type is worth compressing, so that it may have stored variants. */
export function isCompressible(contentType: string): boolean {
  return /^text\/|[/+](?:json|xml|javascript|wasm)\b|^image\/(?:svg\+xml|bmp|x-icon)|^font\/(?:ttf|otf)/.test(
    contentType,
  );
}

const TYPES: ReadonlyMap<string, string> = new Map([
  // Text
  ['html', 'text/html; charset=utf-8'],
  ['htm', 'text/html; charset=utf-8'],
  ['xhtml', 'application/xhtml+xml'],
  ['css', 'text/css; charset=utf-8'],
  ['js', 'text/javascript; charset=utf-8'],
  ['mjs', 'text/javascript; charset=utf-8'],
  ['cjs', 'text/javascript; charset=utf-8'],
  ['txt', 'text/plain; charset=utf-8'],
  ['text', 'text/plain; charset=utf-8'],
  ['log', 'text/plain; charset=utf-8'],
  ['md', 'text/markdown; charset=utf-8'],
  ['markdown', 'text/markdown; charset=utf-8'],
  ['csv', 'text/csv; charset=utf-8'],
  ['tsv', 'text/tab-separated-values; charset=utf-8'],
  ['vtt', 'text/vtt; charset=utf-8'],
  ['ics', 'text/calendar; charset=utf-8'],
  ['vcf', 'text/vcard; charset=utf-8'],
  ['yaml', 'application/yaml; charset=utf-8'],
  ['yml', 'application/yaml; charset=utf-8'],
  ['toml', 'application/toml; charset=utf-8'],
  ['appcache', 'text/cache-manifest; charset=utf-8'],
  // Data
  ['json', 'application/json'],
  ['map', 'application/json'],
  ['jsonld', 'application/ld+json'],
  ['json5', 'application/json5'],
  ['geojson', 'application/geo+json'],
  ['webmanifest', 'application/manifest+json'],
  ['xml', 'application/xml'],
  ['xsl', 'application/xslt+xml'],
  ['xslt', 'application/xslt+xml'],
  ['rss', 'application/rss+xml'],
  ['atom', 'application/atom+xml'],
  ['wasm', 'application/wasm'],
  ['pdf', 'application/pdf'],
  ['rtf', 'application/rtf'],
  ['epub', 'application/epub+zip'],
  ['sqlite', 'application/vnd.sqlite3'],
  ['bin', 'application/octet-stream'],
  // Images
  ['svg', 'image/svg+xml'],
  ['png', 'image/png'],
  ['apng', 'image/apng'],
  ['jpg', 'image/jpeg'],
  ['jpeg', 'image/jpeg'],
  ['gif', 'image/gif'],
  ['webp', 'image/webp'],
  ['avif', 'image/avif'],
  ['jxl', 'image/jxl'],
  ['heic', 'image/heic'],
  ['bmp', 'image/bmp'],
  ['ico', 'image/x-icon'],
  ['tif', 'image/tiff'],
  ['tiff', 'image/tiff'],
  // Fonts
  ['woff', 'font/woff'],
  ['woff2', 'font/woff2'],
  ['ttf', 'font/ttf'],
  ['otf', 'font/otf'],
  ['ttc', 'font/collection'],
  ['eot', 'application/vnd.ms-fontobject'],
  // Sound and moving pictures
  ['mp3', 'audio/mpeg'],
  ['m4a', 'audio/mp4'],
  ['aac', 'audio/aac'],
  ['flac', 'audio/flac'],
  ['oga', 'audio/ogg'],
  ['ogg', 'audio/ogg'],
  ['opus', 'audio/ogg'],
  ['wav', 'audio/wav'],
  ['weba', 'audio/webm'],
  ['mid', 'audio/midi'],
  ['midi', 'audio/midi'],
  ['mp4', 'video/mp4'],
  ['m4v', 'video/mp4'],
  ['webm', 'video/webm'],
  ['ogv', 'video/ogg'],
  ['mov', 'video/quicktime'],
  ['mkv', 'video/matroska'],
  ['avi', 'video/x-msvideo'],
  ['mpg', 'video/mpeg'],
  ['mpeg', 'video/mpeg'],
  ['ts', 'video/mp2t'],
  ['m3u8', 'application/vnd.apple.mpegurl'],
  ['mpd', 'application/dash+xml'],
  // Archives
  ['zip', 'application/zip'],
  ['gz', 'application/gzip'],
  ['tgz', 'application/gzip'],
  ['br', 'application/octet-stream'],
  ['zst', 'application/zstd'],
  ['bz2', 'application/x-bzip2'],
  ['xz', 'application/x-xz'],
  ['7z', 'application/x-7z-compressed'],
  ['tar', 'application/x-tar'],
  ['rar', 'application/vnd.rar'],
  ['jar', 'application/java-archive'],
  // Models
  ['gltf', 'model/gltf+json'],
  ['glb', 'model/gltf-binary'],
  ['stl', 'model/stl'],
  ['usdz', 'model/vnd.usdz+zip'],
  // Office
  ['doc', 'application/msword'],
  ['docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
  ['xls', 'application/vnd.ms-excel'],
  ['xlsx', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'],
  ['ppt', 'application/vnd.ms-powerpoint'],
  ['pptx', 'application/vnd.openxmlformats-officedocument.presentationml.presentation'],
  ['odt', 'application/vnd.oasis.opendocument.text'],
  ['ods', 'application/vnd.oasis.opendocument.spreadsheet'],
  ['odp', 'application/vnd.oasis.opendocument.presentation'],
]);
