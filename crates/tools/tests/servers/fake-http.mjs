// An MCP server over streamable HTTP that misbehaves on request: its port is the first argument, 0 for any, and it says
// on stdout which it has. Sessions live in its memory: a new process knows none. With `400` as the second argument it
// refuses unknown sessions as the protocol's examples did, with that status instead of 404.
import { createServer } from "node:http";
import { connect } from "node:net";
import { randomUUID } from "node:crypto";

const [port, unknownSession] = process.argv.slice(2);
const sessions = new Set();
const streams = new Set(); // the open GET streams
const cut = new Map(); // what a stream that was cut goes on with, by the last event the client had
let visits = 0;

const readOnly = { annotations: { readOnlyHint: true } };
const tool = (name, more = {}) => ({ name, inputSchema: { type: "object" }, ...more });
let tools = [
  "hello", "cut", "resume", "wrong_id", "no_id", "notification", "html", "garbage", "not_utf8", "slow", "moved",
  "huge_event", "huge_json", "busy", "forget", "die", "flood", "shelve", "garbled_events", "closes", "knock",
].map((name) => tool(name)).concat([tool("hello_read_only", readOnly), tool("cut_read_only", readOnly)]);

const event = (message, id) => `${id ? `id: ${id}\n` : ""}data: ${JSON.stringify({ jsonrpc: "2.0", ...message })}\n\n`;
const text = (text) => ({ content: [{ type: "text", text }] });
const sse = (response) => response.writeHead(200, { "content-type": "text/event-stream" });
const json = (response, body, status = 200) =>
  response.writeHead(status, { "content-type": "application/json" }).end(typeof body === "string" ? body : JSON.stringify({ jsonrpc: "2.0", ...body }));

const calls = {
  hello: (id, response) => json(response, { id, result: text("hello") }),
  cut: (id, response) => {
    visits += 1;
    sse(response).write(": here it comes\n\ndata: {\"jsonrpc\"");
    setImmediate(() => response.destroy());
  },
  // Has an event with an id, and then the line is cut. The rest comes where the client left off.
  resume: (id, response, { progressToken }) => {
    cut.set("e1", event({ id, result: text("resumed") }, "e2"));
    sse(response).write(event({ method: "notifications/progress", params: { progressToken, progress: 1, total: 2 } }, "e1"));
    setTimeout(() => response.destroy(), 20);
  },
  // Ends the stream in order each time, and says to come back at once; at the fifth time it has the answer.
  closes: (id, response) => {
    let left = 5;
    cut.set("again", () => (left-- > 0 ? "retry: 0\nid: again\ndata:\n\n" : event({ id, result: text("at last") }, "done")));
    sse(response).end("retry: 0\nid: again\ndata:\n\n");
  },
  wrong_id: (id, response) => json(response, { id: id + 1, result: text("for somebody else") }),
  no_id: (id, response) => json(response, { id: null, error: { code: -32000, message: "no such thing" } }, 400),
  notification: (id, response) => json(response, { method: "notifications/tools/list_changed" }),
  html: (id, response) => response.writeHead(200, { "content-type": "text/html" }).end("<html></html>"),
  garbage: (id, response) => json(response, "{not json"),
  not_utf8: (id, response) => {
    const body = JSON.stringify({ jsonrpc: "2.0", id, result: text("|") }).split("|");
    response.writeHead(200, { "content-type": "application/json" });
    response.end(Buffer.concat([Buffer.from(body[0]), Buffer.from([0xff]), Buffer.from(body[1])]));
  },
  slow: (id, response) => response.writeHead(200, { "content-type": "application/json" }).write("{"),
  moved: (id, response) => response.writeHead(307, { location: "/elsewhere" }).end(),
  huge_event: (id, response) => sse(response).end(event({ id, result: text("x".repeat(2 << 20)) })),
  huge_json: (id, response) => json(response, { id, result: text("x".repeat(40 << 20)) }),
  busy: (id, response) => response.writeHead(503).end(),
  forget: (id, response) => {
    sessions.clear();
    tools = [...tools, tool("another")];
    json(response, { id, result: text("forgotten") });
  },
  die: () => process.exit(7),
  flood: (id, response) => {
    sse(response);
    let left = 300;
    const block = event({ method: "notifications/message", params: { level: "info", data: "blah" } }).repeat(500) + "data: noise\n\n";
    const more = () => (left-- > 0 ? response.write(block, more) : response.end(event({ id, result: text("flooded") })));
    more();
  },
  shelve: (id, response) => {
    tools = ["shelve", "hello"].map((name) => tool(name));
    for (const stream of streams) stream.write(event({ method: "notifications/tools/list_changed" }));
    json(response, { id, result: text("shelved") });
  },
  garbled_events: (id, response) => {
    sse(response).write("data: {\n\nevent: strange\ndata: 5\n\ndata: []\n\n");
    response.end(event({ id, result: text("after all") }));
  },
  knock: (id, response, meta, { port }) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(`called ${process.pid}\n`));
    sse(response).write(": wait\n\n");
  },
};
calls.hello_read_only = calls.hello;
calls.cut_read_only = (id, response) => (visits ? json(response, { id, result: text(`visited ${visits}`) }) : calls.cut(id, response));

const handle = (request, response, { id, method, params }) => {
  if (method === "initialize") {
    const session = randomUUID();
    sessions.add(session);
    response.setHeader("mcp-session-id", session);
    const { protocolVersion } = params;
    const result = { protocolVersion, capabilities: { tools: { listChanged: true } }, serverInfo: { name: "fake", version: "1" } };
    return json(response, { id, result });
  }
  if (!sessions.has(request.headers["mcp-session-id"])) {
    if (unknownSession) {
      return json(response, { id: null, error: { code: -32000, message: "Bad Request: No valid session ID provided" } }, 400);
    }
    return response.writeHead(404).end();
  }
  if (method === "tools/list") return json(response, { id, result: { tools } });
  if (method === "tools/call") {
    if (request.url === "/elsewhere") return json(response, { id, result: text("found elsewhere") });
    return (calls[params.name] ?? calls.hello)(id, response, params._meta, params.arguments);
  }
  response.writeHead(202).end();
};

const server = createServer((request, response) => {
  if (request.method === "GET") {
    const last = request.headers["last-event-id"];
    const rest = cut.get(last);
    sse(response);
    if (rest) return response.end(typeof rest === "function" ? rest() : rest);
    streams.add(response);
    response.flushHeaders();
    return response.on("close", () => streams.delete(response));
  }
  if (request.method !== "POST") return response.writeHead(200).end();
  let body = "";
  request.on("data", (chunk) => (body += chunk));
  request.on("end", () => handle(request, response, JSON.parse(body)));
});
server.listen(Number(port), "127.0.0.1", () => console.log(server.address().port));
