// An MCP server that misbehaves on request. Its first argument says how; without one it serves the tools below.
// `knock` connects to a port of the test and says there what happens to it, so that no test has to wait by time.
import { connect } from "node:net";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";

const mode = process.argv[2] ?? "serve";
// A file that outlasts the process: what stands in it says how the next one behaves.
const state = process.argv[3];
const lines = createInterface({ input: process.stdin });
const send = (message) => process.stdout.write(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\n");
const text = (text) => ({ type: "text", text });
const tool = (name, more = {}) => ({ name, description: `does ${name}`, inputSchema: { type: "object" }, ...more });

const tools = [
  tool("kinds"),
  tool("answer"),
  tool("die"),
  tool("knock"),
  tool("knock_read_only", { annotations: { readOnlyHint: true } }),
  tool("plug"),
  tool("malformed"),
  tool("deep"),
  tool("unknown_block"),
  tool("oversized"),
  tool("protocol_error"),
  tool("same-name"),
  tool("same.name"),
  tool("echo_meta"),
  tool("echo_meta_read_only", { annotations: { readOnlyHint: true } }),
  tool("die_once_read_only", { annotations: { readOnlyHint: true } }),
  tool("die_next_time"),
  tool("progress"),
  tool("shelve"),
  tool("log"),
  tool("ask"),
  tool("wrong_ids"),
  tool("twice"),
  tool("wrong_types"),
  tool("not_utf8"),
  tool("endless_line"),
  tool("flood"),
  tool("flood_requests"),
  tool("bad_schema", { inputSchema: { type: "object", properties: { x: { $ref: "#/nowhere" } } } }),
  tool("long_description", { description: "d".repeat(100_000) }),
];

const nested = (id, key) =>
  `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"content":[],"${key}":${"[".repeat(1e5)}${"]".repeat(1e5)}}}\n`;

const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const kinds = [
  text("one"),
  { type: "image", data: pixel, mimeType: "image/png" },
  { type: "audio", data: "UklGRg==", mimeType: "audio/wav" },
  { type: "resource_link", uri: "file:///a.txt", name: "a.txt", mimeType: "text/plain" },
  { type: "resource", resource: { uri: "file:///b.txt", mimeType: "text/plain", text: "b" } },
  { type: "resource", resource: { uri: "file:///c.bin", mimeType: "application/octet-stream", blob: "AAEC" } },
];

process.stdin.on("end", () => {
  if (mode !== "deaf" && mode !== "stubborn" && knocks.size === 0) die(0);
});

const knocks = new Map();
const die = (status) => process.exit(status);

const calls = {
  kinds: (id) => send({ id, result: { content: kinds } }),
  answer: (id, { result }) => send({ id, result }),
  die: () => {
    process.stderr.write("the fake dies in the middle of a call\n", () => die(7));
  },
  knock: (id, { port }) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(`called ${process.pid}\n`));
    knocks.set(id, socket);
  },
  plug: (id) => {
    // Reads no more, so what is sent from here on fills the pipe.
    lines.pause();
    process.stdin.pause();
    send({ id, result: { content: [text("plugged")] } });
  },
  malformed: (id) => process.stdout.write(JSON.stringify({ id, result: { content: [] } }) + "\n"),
  deep: (id) => process.stdout.write(nested(id, "structuredContent")),
  unknown_block: (id) => send({ id, result: { content: [{ type: "hologram", data: "x" }] } }),
  oversized: (id) => send({ id, result: { content: [text("x".repeat(200_000))] } }),
  echo_meta: (id, _, meta) => send({ id, result: { content: [], structuredContent: meta } }),
  // Dies in the first call it ever gets; the next process answers with what it was called with.
  die_once_read_only: (id, _, meta) => {
    if (existsSync(state)) return calls.echo_meta(id, _, { before: JSON.parse(readFileSync(state)), now: meta });
    writeFileSync(state, JSON.stringify(meta));
    die(9);
  },
  // From here on the server dies as soon as it is started.
  die_next_time: () => {
    writeFileSync(state, "die");
    die(7);
  },
  progress: (id, { steps }, { progressToken }) => {
    const progress = (params) => send({ method: "notifications/progress", params: { progressToken, ...params } });
    for (const step of steps) progress(step);
    // For a call that there is not: nobody hears of it.
    send({ method: "notifications/progress", params: { progressToken: 4711, progress: 1, message: "nobody's" } });
    send({ id, result: { content: [text("done")] } });
    progress({ progress: 1, message: "too late" });
  },
  // Puts these tools where the others were.
  shelve: (id, { names, times }) => {
    shelf = names.map((name) => tool(name));
    for (let i = 0; i < (times ?? 1); i++) send({ method: "notifications/tools/list_changed" });
    send({ id, result: { content: [text("shelved")] } });
  },
  log: (id, { level, logger, data }) => {
    send({ method: "notifications/message", params: { level, logger, data } });
    send({ id, result: { content: [text("logged")] } });
  },
  // Asks its client for something, and answers with the answer.
  ask: (id, { method, params }) => {
    asking.set("q", (answer) => send({ id, result: { content: [], structuredContent: answer } }));
    send({ id: "q", method, params });
  },
  wrong_ids: (id) => {
    for (const wrong of [id + 1000, "x", null, 1.5, {}, []]) send({ id: wrong, result: { content: [text("wrong")] } });
    send({ result: { content: [text("wrong")] } });
    send({ id, result: { content: [text("right")] } });
  },
  twice: (id) => {
    send({ id, result: { content: [text("first")] } });
    send({ id, result: { content: [text("second")] } });
    send({ id, error: { code: -1, message: "third" } });
  },
  wrong_types: (id) => send({ id, result: { content: "text", isError: 7 } }),
  not_utf8: (id) => {
    const [before, after] = JSON.stringify({ jsonrpc: "2.0", id, result: { content: [text("|")] } }).split("|");
    process.stdout.write(Buffer.concat([Buffer.from(before), Buffer.from([0xff, 0xfe]), Buffer.from(`${after}\n`)]));
  },
  endless_line: () => {
    const more = () => process.stdout.write("x".repeat(1 << 16), more);
    more();
  },
  // A great many lines of all that a server may say unasked, and its answer at the end.
  flood: (id, { lines }, { progressToken }) => {
    const said = [
      { method: "notifications/message", params: { level: "info", data: "blah" } },
      { method: "notifications/tools/list_changed" },
      { method: "notifications/resources/updated", params: { uri: "file:///a" } },
      { method: "notifications/progress", params: { progressToken, progress: 1, total: 2, message: "half" } },
      { method: "notifications/unheard_of", params: {} },
    ].map((message) => JSON.stringify({ jsonrpc: "2.0", ...message }) + "\n");
    const block = (said.join("") + "noise\n").repeat(100);
    let left = lines / 600;
    const more = () => {
      if (left-- > 0) return process.stdout.write(block, more);
      send({ id, result: { content: [text("flooded")] } });
    };
    more();
  },
  // Requests whose answers it does not read; then it reads again, and answers.
  flood_requests: (id, { requests }) => {
    lines.pause();
    process.stdin.pause();
    let sent = 0;
    const more = () => {
      if (sent < requests) {
        const block = [...Array(100).keys()].map((i) => JSON.stringify({ jsonrpc: "2.0", id: `p${sent + i}`, method: "ping" }));
        sent += 100;
        return process.stdout.write(block.join("\n") + "\n", more);
      }
      send({ id, result: { content: [text("asked")] } });
      process.stdin.resume();
      lines.resume();
    };
    more();
  },
  protocol_error: (id) => send({ id, error: { code: -32603, message: "the fake broke", data: { at: "call" } } }),
};
calls.knock_read_only = calls.knock;
calls.echo_meta_read_only = calls.echo_meta;

let shelf;
const asking = new Map();

const page = (cursor) => {
  if (shelf) return { tools: shelf };
  if (mode === "malformed-tools") return { tools: [tool("fine"), { name: "null", inputSchema: null }] };
  if (mode === "endless") return { tools: [tool(`t${cursor ?? 0}`)], nextCursor: String(Number(cursor ?? 0) + 1) };
  if (cursor === undefined) return { tools: tools.slice(0, 5), nextCursor: "rest" };
  return { tools: tools.slice(5) };
};

const handle = ({ id, method, params, result, error }) => {
  if (method === undefined) return asking.get(id)?.({ result: result ?? null, error: error ?? null });
  if (method === "initialize") {
    if (mode === "refuse") return send({ id, error: { code: -32000, message: `not for ${process.env.API_KEY}` } });
    if (mode === "modern") return send({ id, error: { code: -32601, message: "Method not found" } });
    const { protocolVersion } = params;
    send({ id, result: { protocolVersion, capabilities: { tools: { listChanged: true } }, serverInfo: { name: "fake", version: "1" } } });
  } else if (method === "server/discover") {
    const supportedVersions = ["2026-07-28"];
    const common = { resultType: "complete", ttlMs: 0, cacheScope: "private" };
    send({ id, result: { supportedVersions, capabilities: { tools: {} }, ...common } });
  } else if (method === "tools/list") {
    if (mode === "no-list") return;
    if (mode === "deep-list") return process.stdout.write(nested(id, "tools"));
    if (mode === "malformed-tools") return send({ id, result: page() });
    send({ id, result: { resultType: "complete", ttlMs: 0, cacheScope: "private", ...page(params?.cursor) } });
  } else if (method === "tools/call") {
    (calls[params.name] ?? calls.kinds)(id, params.arguments, params._meta);
  } else if (method === "notifications/cancelled") {
    knocks.get(params.requestId)?.write("cancelled\n");
  }
};

process.on("SIGTERM", () => {
  for (const socket of knocks.values()) socket.write("asked to end\n");
  if (mode !== "stubborn") setImmediate(() => die(0));
});

if (state && existsSync(state) && readFileSync(state, "utf8") === "die") {
  process.stderr.write("the database is gone\n", () => die(5));
}
if (mode === "chatty") {
  console.log(`Listening with key ${process.env.API_KEY}`);
  console.log("ready");
}
if (mode === "exit") {
  process.stderr.write(`starting\n\x1b[31mno config for key ${process.env.API_KEY}\x1b[0m\n`, () => die(3));
} else if (mode !== "deaf") {
  lines.on("line", (line) => handle(JSON.parse(line)));
}
if (mode !== "exit") setInterval(() => {}, 1 << 30);
