/** What a standard parser reads in a form. */
export async function parseForm(body: Blob | Uint8Array, contentType: string): Promise<ReadonlyMap<string, string>> {
  const bytes = body instanceof Blob ? new Uint8Array(await body.arrayBuffer()) : new Uint8Array(body);
  // Its types call the method deprecated, since it holds all of a form in memory: no matter here.
  const parser: { formData(): Promise<Iterable<[string, unknown]>> } = new Response(bytes, {
    headers: { 'content-type': contentType },
  });
  const fields = new Map<string, string>();
  for (const [name, value] of await parser.formData()) {
    if (value instanceof Blob) fields.set(name, `${(value as Blob & { name: string }).name}: ${await value.text()}`);
    else fields.set(name, String(value));
  }
  return fields;
}
