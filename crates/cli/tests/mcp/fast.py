"""fastmcp's client against `carrel mcp`. Its arguments: what to do (`tour`, or `found` with a session and a cell), the address
or the program of the server, and the program's arguments.

Prints one JSON object of what it saw; the test that started it compares."""

import asyncio
import json
import os
import sys

from fastmcp import Client
from fastmcp.client.transports import StdioTransport

ENVIRONMENT = {name: os.environ[name] for name in ("CARREL_DATA", "PATH") if name in os.environ}
# Goes on when there is a file.
PATIENT = """
    text('before');
    const there = () => tools.files__get_file_info({ path: 'go' }).then(() => true, () => false);
    while (!(await there())) await new Promise((again) => setTimeout(again, 100));
    text('after'); export default 'done';
"""
MANY = """
    const sum = await tools.everything__get_sum({ a: 2, b: 40 });
    await tools.memory__create_entities({ entities: [{ name: 'carrel', entityType: 'thing', observations: [] }] });
    const graph = await tools.memory__read_graph({});
    export default [JSON.stringify(sum), JSON.stringify(graph), Object.keys(tools).filter((name) => name.startsWith('fetch'))];
"""
IMAGE = "for (const block of await tools.everything__get_tiny_image({})) if (block.type === 'image') image(block)"
ENDLESS = "for (;;) await new Promise((go) => setTimeout(go, 1000))"


def client(where, arguments, asked):
    async def person(message, response_type, params, context):
        asked.append(message)
        return {"decision": "allow"}

    target = where if where.startswith("http://") else StdioTransport(where, arguments, env=ENVIRONMENT, keep_alive=False)
    return Client(target, elicitation_handler=person)


async def call(client, name, **arguments):
    result = await client.call_tool(name, arguments, raise_on_error=False)
    return {**(result.structured_content or {}), "kinds": [block.type for block in result.content]}


async def tour(where, *arguments):
    seen, asked = {}, []
    async with client(where, list(arguments), asked) as carrel:
        seen["tools"] = [tool.name for tool in await carrel.list_tools()]
        seen["many"] = await call(carrel, "exec", code=MANY)
        session = seen["many"]["session_id"]
        seen["image"] = await call(carrel, "exec", session_id=session, code=IMAGE)
        endless = await call(carrel, "exec", session_id=session, code=ENDLESS, yield_time_ms=0)
        seen["ended"] = await call(carrel, "wait", session_id=session, cell_id=endless["cell_id"], terminate=True)
        # The policy asks a person about this one.
        seen["asked"] = await call(
            carrel, "exec", session_id=session, code="export default await tools.everything__echo({ message: 'hello' })"
        )
        seen["left"] = await call(carrel, "exec", session_id=session, code=PATIENT, yield_time_ms=200)
    seen["questions"] = asked
    return seen


async def found(session, cell, where, *arguments):
    async with client(where, list(arguments), []) as carrel:
        return await call(carrel, "wait", session_id=session, cell_id=cell)


what, *rest = sys.argv[1:]
print(json.dumps(asyncio.run({"tour": tour, "found": found}[what](*rest))))
