//! Native QuickJS-NG, to compare with: the sources of the guest, compiled for this machine.

use rquickjs::{Context, Error, Function, Module, Runtime};

/// Runs a module to its end in a runtime of its own, as a VM of the engine is made for each cell.
pub(crate) fn run_to_end(source: &str) {
    evaluate(source).expect("native QuickJS-NG runs what the engine runs");
}

fn evaluate(source: &str) -> Result<(), Error> {
    let runtime = Runtime::new()?;
    let context = Context::full(&runtime)?;
    context.with(|ctx| {
        let mut printed = Vec::new();
        let text = Function::new(
            ctx.clone(),
            rquickjs::function::MutFn::new(move |line: String| printed.push(line)),
        )?;
        ctx.globals().set("text", text)?;
        Module::evaluate(ctx, "cell.js", source)?.finish()
    })
}
