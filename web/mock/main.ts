/** `npm run mock`: the example bank's page with the built widget and the mock bot behind it, on one address. */

import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join, normalize } from "node:path";
import { MockServer } from "./server.ts";

const PORT = Number(process.env.PORT ?? 8788);
const SITE = new URL("../../examples/bank/site/", import.meta.url).pathname;
const DIST = new URL("../dist/", import.meta.url).pathname;
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
  "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'";
const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** `curl localhost:8788/mock/NAME`: what is hard to wait for. */
const PRANKS: Record<string, () => void> = {
  fail: () => server.faults.refuse.push({ code: "bad_frame" }),
  limit: () => server.faults.refuse.push({ code: "rate_limited", retry_after: 12 }),
  deaf: () => {
    server.faults.deaf = !server.faults.deaf;
  },
  down: () => {
    server.faults.refuseHello = !server.faults.refuseHello;
    server.cutAll();
  },
  expire: () => server.expireAll(),
  say: () =>
    server.commit(server.last, randomUUID(), 0, { text: "您的**安全令牌**已可在网点领取。", role: "agent" }),
  end: () =>
    server.commit(server.last, randomUUID(), 0, { text: "感谢您的来访。", role: "system", status: "closed" }),
};

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = normalize(new URL(request.url ?? "/", "http://localhost").pathname);
  const prank = PRANKS[path.replace(/^\/mock\//, "")];
  if (prank) {
    prank();
    response.writeHead(204).end();
    return;
  }
  const file = path.startsWith("/widget/")
    ? join(DIST, path)
    : join(SITE, path === "/" ? "index.html" : path);
  const body = await readFile(file).catch(() => null);
  const type = TYPES[extname(file)] ?? "application/octet-stream";
  response.writeHead(body ? 200 : 404, { "Content-Type": type, "Content-Security-Policy": POLICY });
  response.end(body);
}

const server = new MockServer({ pace: 30, serve: (request, response) => void serve(request, response) });
console.log(`The mock bank is open at ${await server.listen(PORT)}`);
