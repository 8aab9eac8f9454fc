// What a client can do: fetch, several requests at once over one session, everything that fetch hides.
//
//   npx hface-ts server examples/fetch-app.js
//   node examples/client.js http://localhost:5080/
import { Client, HfaceError } from 'hface-ts';

const base = process.argv[2] ?? 'http://localhost:5080/';
const client = new Client({ timeouts: { total: 10_000 } });

// The session closes by itself at the end. On Node 24: await using session = client.session();
await client.withSession(async (session) => {
  // The standard's fetch: redirects are followed, codings undone.
  const response = await session.fetch(new URL('/whoami', base));
  console.log(response.status, await response.json());

  // Many at once; the session opens and shares connections.
  const counts = await Promise.all(
    Array.from({ length: 5 }, async (_, index) => {
      const answer = await session.fetch(new URL('/length', base), { method: 'POST', body: 'x'.repeat(index) });
      return Number(await answer.text());
    }),
  );
  console.log(counts);

  // dispatch hides nothing: interim responses, fields as they came, trailers, the connection, times.
  const { informational } = await session.dispatch({ url: base });
  for (const { status, headers } of informational) console.log(status, headers);
  const counted = await session.dispatch({ url: new URL('/count', base) });
  for await (const piece of counted.body) process.stdout.write(piece);
  const { firstByte = 0, queued } = counted.timings;
  console.log(await counted.trailers, counted.connection.reused, `${(firstByte - queued).toFixed(1)} ms`);

  // Failures say what failed and whose doing it was.
  try {
    await session.dispatch({ url: 'http://127.0.0.1:1/' });
  } catch (error) {
    if (!(error instanceof HfaceError)) throw error;
    console.log(error.code, error.initiator, error.message);
  }
});
