"""The official Python SDK against `carrel mcp`. Its arguments: what to do (a scenario below, or a tool), the generation of
the protocol (`legacy` or `auto`), the address (`#TOKEN` behind it is shown) or the program of the server, and the program's arguments or, after an
address, those of the tool or of the task as JSON.

Prints one JSON object of what it saw; the test that started it compares."""

import asyncio
import json
import os
import sys
from typing import Any, Literal

import mcp_types as types
from mcp import Client, MCPError
from mcp.client.extension import ClientExtension, ResultClaim
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client


ENVIRONMENT = {name: os.environ[name] for name in ("CARREL_DATA", "PATH") if name in os.environ}


def target(where, arguments):
    if where.startswith("http://"):
        where, _, token = where.partition("#")
        if token:
            http = create_mcp_http_client(headers={"Authorization": f"Bearer {token}"})
            return streamable_http_client(where, http_client=http)
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
        keyed = dict(code="text('run'); store('runs', (load('runs') ?? 0) + 1); export default load('runs')", session_id=session, idempotency_key="k-1")
        seen["keyed"] = [await call(client, "exec", **keyed) for _ in range(3)]
        seen["reused"] = await call(client, "exec", **{**keyed, "code": "text('other')"})
        seen["keyless"] = await call(client, "exec", code="1", idempotency_key="k-1")
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


async def late(mode, where, *arguments):
    """The server behind `orders` is there once there is a file `go`."""
    async with Client(target(where, list(arguments)), mode=mode) as client:
        seen = {"tools": [tool.name for tool in (await client.list_tools()).tools]}
        seen["plain"] = await call(client, "exec", code="export default 1 + 1")
        # Waits for its own server, and for no other.
        seen["quick"] = await call(client, "exec", code="export default (await tools.shop__list_orders({})).orders.length")
        search = asyncio.create_task(call(client, "search_tools", query="orders of a customer"))
        run = asyncio.create_task(call(client, "exec", code="export default (await tools.orders__list_orders({})).orders.length"))
        with open("go", "w"):
            pass
        seen["search"], seen["run"] = await search, await run
        session = seen["plain"]["structured"]["session_id"]
        seen["again"] = await call(client, "exec", code="export default ALL_TOOLS.length", session_id=session)
    return seen


async def leave(mode, where):
    """Gives up a wait, an exec and the connection, each while a cell runs."""
    seen = {"progress": []}
    watch = "while ((await tools.orders__get_order({ id: 'o-1072' })).status !== 'paid') await new Promise((go) => setTimeout(go, 20))"
    async with Client(where, mode=mode) as client:
        session = (await call(client, "exec", code="0"))["structured"]["session_id"]
        begun = await call(client, "exec", code=f"{watch}; export default 'waited for'", session_id=session, yield_time_ms=0)
        cell = begun["structured"]["cell_id"]
        keyed = dict(code=f"{watch}; export default 'given up'", session_id=session, idempotency_key="left")
        for tool, arguments in [("wait", dict(session_id=session, cell_id=cell)), ("exec", keyed)]:
            there = asyncio.Event()

            async def progress(done, total, message):
                seen["progress"].append(message)
                there.set()

            given_up = asyncio.create_task(client.call_tool(tool, arguments, progress_callback=progress))
            await there.wait()
            given_up.cancel()
            await asyncio.wait({given_up})
    async with Client(where, mode=mode) as client:
        await call(client, "exec", code="await tools.orders__update_order({ id: 'o-1072', status: 'paid' })", session_id=session)
        seen["wait"] = await call(client, "wait", session_id=session, cell_id=cell)
        seen["exec"] = await call(client, "exec", **keyed)
    return seen


async def calls(mode, where, arguments):
    """One tool after the other, each with its arguments."""
    async with Client(target(where, []), mode=mode) as client:
        return [await call(client, tool, **given) for tool, given in json.loads(arguments)]


async def passed(mode, where, *arguments):
    """What is listed, before and after the server behind it has another tool, which the client is told of."""
    changed = asyncio.Event()

    async def hear(message):
        if isinstance(message, types.ToolListChangedNotification):
            changed.set()

    async with Client(target(where, list(arguments)), mode=mode, message_handler=hear) as client:

        async def names():
            return [tool.name for tool in (await client.list_tools()).tools]

        seen = [await names()]
        swap = client.call_tool("s__swap", {"name": "young"})
        if mode == "legacy":
            await swap
            await changed.wait()
        else:
            async with client.listen(tools_list_changed=True) as changes:
                await swap
                await anext(aiter(changes))
        return [*seen, await names()]


async def asking(mode, where, arguments):
    """Runs a cell so many times until each waits for a person who cannot be asked here."""
    does = json.loads(arguments)
    waiting = []
    async with Client(target(where, []), mode=mode) as client:
        for _ in range(does["times"]):
            begun = (await call(client, "exec", code=does["code"], yield_time_ms=0))["structured"]
            cell = {"session_id": begun["session_id"], "cell_id": begun["cell_id"]}
            notes = []
            while not notes:
                looked = await call(client, "wait", **cell, yield_time_ms=50)
                notes = looked["structured"]["cells"][0]["notes"]
            waiting.append({"wait": cell, "notes": notes})
    return waiting


async def meddle(mode, where, arguments, question):
    """Answers a question of another's session with a call of one's own that asks."""
    async with Client(where, mode=mode, elicitation_callback=lambda context, params: None) as client:
        own = await client.session.call_tool("exec", json.loads(arguments), allow_input_required=True)
        yes = types.ElicitResult(action="accept", content={"decision": "allow"})
        again = await client.session.call_tool(
            "exec",
            json.loads(arguments),
            input_responses={question: yes},
            request_state=own.request_state,
            allow_input_required=True,
        )
        return {"own": list(own.input_requests), "again": list(again.input_requests)}


class Handle(types.Result):
    """What a call returns of a cell that takes long."""

    result_type: Literal["task"] = "task"
    task_id: str
    status: str
    poll_interval_ms: int | None = None


class Named(types.RequestParams):
    task_id: str
    input_responses: dict[str, Any] | None = None


class Get(types.Request[Named, Literal["tasks/get"]]):
    method: Literal["tasks/get"] = "tasks/get"
    name_param = "taskId"


class Update(types.Request[Named, Literal["tasks/update"]]):
    method: Literal["tasks/update"] = "tasks/update"
    name_param = "taskId"


class Cancel(types.Request[Named, Literal["tasks/cancel"]]):
    method: Literal["tasks/cancel"] = "tasks/cancel"
    name_param = "taskId"


class State(types.Result):
    status: str
    created_at: str
    status_message: str | None = None
    input_requests: dict[str, Any] | None = None
    result: dict[str, Any] | None = None


class Tasks(ClientExtension):
    """The tasks extension: follows a task to its end, and says `said` to whatever it asks."""

    identifier = "io.modelcontextprotocol/tasks"

    def __init__(self):
        self.said = None
        self.seen = []

    def claims(self):
        return [ResultClaim(result_type="task", model=Handle, resolve=self.resolve)]

    async def resolve(self, handle, context):
        return await self.follow(context.session, handle.task_id)

    async def follow(self, session, task_id):
        while True:
            state = await session.send_request(Get(params=Named(task_id=task_id)), State)
            self.seen.append(state.model_dump(include={"status", "created_at", "status_message"}))
            if state.status == "completed":
                return types.CallToolResult.model_validate(state.result)
            if state.status == "cancelled":
                return types.CallToolResult(content=[], is_error=True)
            if state.status == "input_required":
                said = {"action": "accept", "content": {"decision": self.said}}
                answers = {question: said for question in state.input_requests}
                await session.send_request(Update(params=Named(task_id=task_id, input_responses=answers)), types.EmptyResult)
            await asyncio.sleep(0.05)


async def task(mode, where, arguments):
    """Does one thing after the other: `begin` runs a cell and returns its task; `follow` and `cancel` take up the last that was
    begun, or one that is named; `through` does all of it, and the person says `said`."""

    async def person(context, params):
        raise RuntimeError("it is asked inside the task")

    seen = []
    tasks = Tasks()
    async with Client(where, mode=mode, extensions=[tasks], elicitation_callback=person) as client:
        for does in json.loads(arguments):
            tasks.said, tasks.seen = does.get("said"), []
            if does["do"] == "begin":
                handle = await client.session.call_tool("exec", does["exec"], allow_claimed=True)
                last = handle.task_id
                seen.append({"type": handle.result_type, "task": last, "status": handle.status})
                continue
            if does["do"] == "cancel":
                await client.session.send_request(Cancel(params=Named(task_id=last)), types.EmptyResult)
            if does["do"] == "through":
                result = await client.call_tool("exec", does["exec"])
            else:
                result = await tasks.follow(client.session, does.get("task") or last)
            seen.append({"error": result.is_error, "structured": result.structured_content, "seen": tasks.seen})
    return seen


async def forge(mode, where, arguments):
    """Says yes to what a task asks, as a client that can ask nobody."""
    async with Client(where, mode=mode, extensions=[Tasks()]) as client:
        handle = await client.session.call_tool("exec", json.loads(arguments), allow_claimed=True)
        message = ""
        while "`carrel approve " not in message:
            state = await client.session.send_request(Get(params=Named(task_id=handle.task_id)), State)
            message = state.status_message
            await asyncio.sleep(0.05)
        question = message.split("`carrel approve ")[1].split("`")[0]
        yes = {"action": "accept", "content": {"decision": "allow"}}
        forged = Named(task_id=handle.task_id, input_responses={question: yes})
        try:
            await client.session.send_request(Update(params=forged), types.EmptyResult)
        except MCPError as error:
            return {"question": question, "refused": str(error)}
        return {"question": question}


async def cell(mode, code, where, *arguments):
    """The value of an expression, in a cell."""
    async with Client(target(where, list(arguments)), mode=mode) as client:
        return (await call(client, "exec", code="export default " + code))["structured"]


what, *rest = sys.argv[1:]
SCENARIOS = {"tour": tour, "cell": cell, "late": late, "leave": leave, "calls": calls, "asking": asking, "meddle": meddle, "passed": passed, "forge": forge, "task": task}
print(json.dumps(asyncio.run(SCENARIOS[what](*rest) if what in SCENARIOS else once(what, *rest))))
