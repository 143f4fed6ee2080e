// Speaks just enough MCP over standard input and output to list the tools of a server, started in a folder.
import { spawn } from "node:child_process";

const SECONDS = 60;

export function list(command, folder, env = {}) {
  return new Promise((done, fail) => {
    const child = spawn(command[0], command.slice(1), { cwd: folder, env: { PATH: process.env.PATH, HOME: folder, ...env } });
    const end = (result, error) => {
      clearTimeout(timer);
      child.kill("SIGKILL");
      error ? fail(error) : done(result);
    };
    let stderr = "";
    const timer = setTimeout(() => end(null, new Error(`no answer in ${SECONDS} s: ${stderr.slice(-300)}`)), SECONDS * 1000);
    child.on("error", (error) => end(null, error));
    child.on("close", (code) => end(null, new Error(`ended with ${code}: ${stderr.slice(-300)}`)));
    child.stderr.on("data", (data) => (stderr += data));
    child.stdin.on("error", () => {});
    const send = (message) => child.stdin.write(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\n");
    const tools = [];
    let rest = "";
    child.stdout.on("data", (data) => {
      const lines = (rest + data).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        let message;
        try { message = JSON.parse(line); } catch { continue; }
        if (message.id === 1) {
          send({ method: "notifications/initialized" });
          send({ id: 2, method: "tools/list", params: {} });
        } else if (message.id === 2) {
          if (message.error) return end(null, new Error(message.error.message));
          tools.push(...message.result.tools);
          if (!message.result.nextCursor) return end(tools);
          send({ id: 2, method: "tools/list", params: { cursor: message.result.nextCursor } });
        }
      }
    });
    send({ id: 1, method: "initialize", params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "carrel-lister", version: "1" } } });
  });
}
