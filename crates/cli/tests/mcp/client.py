"""The official Python SDK against `carrel mcp`. Its arguments: what to do (`tour`, `exec` or `wait`), the generation of
the protocol (`legacy` or `auto`), the address or the program of the server, and the program's arguments or, after an
address, those of the tool as JSON.

Prints one JSON object of what it saw; the test that started it compares."""

import asyncio
import json
import os
import sys

import mcp_types as types
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client


ENVIRONMENT = {name: os.environ[name] for name in ("CARREL_DATA", "PATH") if name in os.environ}


def target(where, arguments):
    if where.startswith("http://"):
        return where
    return stdio_client(StdioServerParameters(command=where, args=arguments, env=ENVIRONMENT))


async def call(client, name, **arguments):
    result = await client.call_tool(name, arguments)
    texts = [block.text for block in result.content if block.type == "text"]
    return {"error": result.is_error, "text": "\n".join(texts), "structured": result.structured_content}


async def tour(mode, where, *arguments):
    seen = {}
    async with Client(target(where, list(arguments)), mode=mode) as client:
        tools = (await client.list_tools()).tools
        seen["tools"] = [tool.name for tool in tools]
        seen["longest"] = max(len(tool.description) for tool in tools)
        seen["search"] = await call(client, "search_tools", query="orders of a customer")
        seen["exec"] = await call(
            client, "exec", code="const { orders } = await tools.orders__list_orders({}); text(orders.length); store('n', orders.length)"
        )
        session = seen["exec"]["structured"]["session_id"]
        # Of this connection's own session, where there are connections.
        seen["again"] = await call(client, "exec", code="export default load('n')", session_id=session)
        seen["failed"] = await call(client, "exec", code="null.x", session_id=session)
        seen["long"] = await call(
            client, "exec", code="text('one'); await new Promise((go) => setTimeout(go, 300)); text('two')", yield_time_ms=0, session_id=session
        )
        cell = seen["long"]["structured"]["cell_id"]
        seen["wait"] = await call(client, "wait", session_id=session, cell_id=cell)
        endless = await call(client, "exec", code="for (;;) await new Promise((go) => setTimeout(go, 1000))", yield_time_ms=0, session_id=session)
        seen["endless"] = await call(client, "wait", session_id=session, cell_id=endless["structured"]["cell_id"], terminate=True)
        seen["much"] = await call(client, "exec", code="for (let i = 0; i < 20000; i++) text('line ' + i)", session_id=session)
        address = f"carrel://session/{session}/cell/{seen['much']['structured']['cell_id']}/output/0"
        page = await client.read_resource(address)
        seen["page"] = page.contents[0].text
        seen["unknown"] = await call(client, "exec", code="1", session_id="session-0000000000000000")
        seen["misspelt"] = await call(client, "exec", code="1", sesion="x")
        seen["guide"] = (await client.read_resource("carrel://guide")).contents[0].text
        seen["prompts"] = [prompt.name for prompt in (await client.list_prompts()).prompts]
    return seen


async def once(tool, mode, where, arguments, said=None):
    """`said` is what the person says whenever they are asked: a decision, `decline` or `cancel`."""
    asked = []

    async def person(context, params):
        asked.append(params.message)
        if said in ("decline", "cancel"):
            return types.ElicitResult(action=said)
        return types.ElicitResult(action="accept", content={"decision": said})

    callback = {"elicitation_callback": person} if said else {}
    async with Client(target(where, []), mode=mode, **callback) as client:
        return {**await call(client, tool, **json.loads(arguments)), "asked": asked}


what, *rest = sys.argv[1:]
print(json.dumps(asyncio.run(tour(*rest) if what == "tour" else once(what, *rest))))
