// The widget is part of somebody else's page: it may weigh at most 25 kB on the wire, everything included.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const LIMIT = 25_000;
const file = new URL("../dist/widget/kefu.js", import.meta.url);
const raw = readFileSync(file);
const size = gzipSync(raw, { level: 9 }).length;
console.log(`kefu.js: ${raw.length} bytes, ${size} gzipped (limit ${LIMIT})`);
if (size > LIMIT) {
  console.error("Too large: take something out, or load it only when it is needed.");
  process.exit(1);
}
