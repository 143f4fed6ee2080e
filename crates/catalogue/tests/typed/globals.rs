//! What is declared of a cell's other globals.

use carrel_catalogue::declaration::{GLOBALS, declare_all};
use carrel_contract::ToolErrorCode;

use crate::checker::check;

#[test]
fn the_globals_of_a_cell_are_declared() {
    let cell = r#"
        text(ALL_TOOLS.map((tool) => tool.name).join());
        image("data:image/png;base64,AAAA"); image({ image_url: { url: "data:" } });
        audio({ type: "audio", data: "AAAA", mimeType: "audio/wav" });
        content({ type: "resource_link", uri: "file:///a", name: "a" });
        notify({ step: 1 }); store("k", [1]); const back: number[] | undefined = load("k");
        yield_control();
        const id: number = setTimeout((name: string) => console.log(name), 10, "a"); clearTimeout(id);
        queueMicrotask(() => {}); const copy: { a: number } = structuredClone({ a: 1 });
        const query = new URL("a?b=c", "https://x.org").searchParams.get("b"); for (const [key] of new URLSearchParams("a=1")) text(key);
        const bytes: Uint8Array = crypto.getRandomValues(new TextEncoder().encode(crypto.randomUUID()));
        const controller = new AbortController(); controller.signal.addEventListener("abort", () => text(performance.now()), { once: true });
        text(new TextDecoder("utf-8", { fatal: true }).decode(bytes) + atob(btoa("x")) + query + back + copy.a);
        const found = await tools.$search("orders", { limit: 3 }); text(found); text(await tools.$describe("a__b"));
        try { throw new DOMException("m", "AbortError"); } catch (error) { if (error instanceof ToolError && error.code === "timed_out") text(error.retryable); if (error instanceof OutcomeUnknownError) text(error.callId + error.tool); }
        new Intl.NumberFormat("de").format(1);
        exit();
        export default 1;
    "#;
    let faults = check(&[("tools.d.ts", &declare_all([])), ("cell.ts", cell)]);
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn what_a_cell_lacks_is_not_declared() {
    for lacking in [
        "fetch('x')",
        "require('x')",
        "process.exit()",
        "document",
        "WebAssembly",
        "new Worker('x')",
        "tools.nothing()",
    ] {
        let faults =
            check(&[("tools.d.ts", &declare_all([])), ("cell.ts", &format!("{lacking}; export {{}};"))]);
        assert_eq!(faults.len(), 1, "{lacking}: {faults:?}");
    }
}

#[test]
fn every_code_of_a_failed_call_is_declared() {
    let declared = GLOBALS.lines().find(|line| line.contains("readonly code: ")).unwrap();
    let declared: Vec<&str> = declared.split('"').skip(1).step_by(2).collect();
    // What the contract knows it reads; what it does not know it refuses.
    for code in &declared {
        let code: ToolErrorCode = serde_json::from_value((*code).into()).unwrap();
        assert!(declared.contains(&code.as_str()));
    }
    let unknown = serde_json::from_str::<ToolErrorCode>("\"nothing\"").unwrap_err().to_string();
    let accepted: Vec<&str> = unknown.split('`').skip(3).step_by(2).collect();
    assert_eq!(declared, accepted, "{unknown}");
}
