// The tools that the server scenarios of the official conformance suite call, as an MCP server on standard input and output.
import { createInterface } from "node:readline";

const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
const silence = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=";
const text = (text) => ({ type: "text", text });
const image = { type: "image", data: pixel, mimeType: "image/png" };
const resource = (name, mimeType, text) => ({ type: "resource", resource: { uri: `test://${name}`, mimeType, text } });
// Carrel passes progress on four times a second at most; the rest of the pause is for machines that are busy.
const pause = () => new Promise((go) => setTimeout(go, 600));

const none = { type: "object", properties: {} };
const tools = {
  test_simple_text: { answer: () => [text("This is a simple text response for testing.")] },
  test_image_content: { answer: () => [image] },
  test_audio_content: { answer: () => [{ type: "audio", data: silence, mimeType: "audio/wav" }] },
  test_embedded_resource: { answer: () => [resource("embedded-resource", "text/plain", "An embedded resource.")] },
  test_multiple_content_types: {
    answer: () => [text("Several kinds:"), image, resource("mixed", "application/json", '{"test":"data","value":123}')],
  },
  test_error_handling: {
    answer: () => {
      throw new Error("This tool intentionally returns an error for testing");
    },
  },
  test_tool_with_progress: {
    answer: async (progress) => {
      for (const at of [0, 50, 100]) {
        await pause();
        progress(at);
      }
      await pause();
      return [text("done")];
    },
  },
  test_reconnection: { answer: () => [text("connected")] },
  json_schema_2020_12_tool: {
    schema: {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      $defs: { address: { type: "object", properties: { street: { type: "string" }, city: { type: "string" } } } },
      properties: { name: { type: "string" }, address: { $ref: "#/$defs/address" } },
      additionalProperties: false,
    },
    answer: () => [text("a schema")],
  },
};

const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);

async function call({ name, arguments: given, _meta }) {
  const progress = (at) =>
    send({ method: "notifications/progress", params: { progressToken: _meta?.progressToken, progress: at, total: 100 } });
  try {
    return { content: await tools[name].answer(progress, given) };
  } catch (error) {
    return { isError: true, content: [text(error.message)] };
  }
}

const listed = Object.entries(tools).map(([name, { schema }]) => ({
  name,
  description: "A fixture of the conformance suite",
  inputSchema: schema ?? none,
}));
const methods = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: "fixture", version: "1" },
  }),
  ping: () => ({}),
  "tools/list": () => ({ tools: listed }),
  "tools/call": call,
};

for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) continue;
  const act = methods[method];
  if (act) Promise.resolve(act(params ?? {})).then((result) => send({ id, result }));
  else send({ id, error: { code: -32601, message: `no method ${method}` } });
}
