// An MCP server that misbehaves on request. Its first argument says how; without one it serves the tools below.
// `knock` connects to a port of the test and says there what happens to it, so that no test has to wait by time.
import { connect } from "node:net";
import { createInterface } from "node:readline";

const mode = process.argv[2] ?? "serve";
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
  protocol_error: (id) => send({ id, error: { code: -32603, message: "the fake broke", data: { at: "call" } } }),
};
calls.knock_read_only = calls.knock;

const page = (cursor) => {
  if (mode === "malformed-tools") return { tools: [tool("fine"), { name: "null", inputSchema: null }] };
  if (mode === "endless") return { tools: [tool(`t${cursor ?? 0}`)], nextCursor: String(Number(cursor ?? 0) + 1) };
  if (cursor === undefined) return { tools: tools.slice(0, 5), nextCursor: "rest" };
  return { tools: tools.slice(5) };
};

const handle = ({ id, method, params }) => {
  if (method === "initialize") {
    if (mode === "refuse") return send({ id, error: { code: -32000, message: `not for ${process.env.API_KEY}` } });
    if (mode === "modern") return send({ id, error: { code: -32601, message: "Method not found" } });
    const { protocolVersion } = params;
    send({ id, result: { protocolVersion, capabilities: { tools: {} }, serverInfo: { name: "fake", version: "1" } } });
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
    calls[params.name](id, params.arguments);
  } else if (method === "notifications/cancelled") {
    knocks.get(params.requestId)?.write("cancelled\n");
  }
};

process.on("SIGTERM", () => {
  for (const socket of knocks.values()) socket.write("asked to end\n");
  if (mode !== "stubborn") setImmediate(() => die(0));
});

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
