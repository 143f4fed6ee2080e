//! Runs a test in native QuickJS-NG, to compare with.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;

use carrel_engine::VmLimits;
use rquickjs::promise::PromiseState;
use rquickjs::{Context, Ctx, Error, Function, Module, Object, Promise, Runtime, Value};

use crate::verdict::{End, Run, Thrown};

/// How deep JavaScript may recurse: about what a cell can.
const STACK_BYTES: usize = 1024 * 1024;

/// Runs a test to its end or to one of its limits, in a runtime of its own. Time is the clock's.
pub(crate) fn run(source: String, limits: VmLimits) -> Result<Run, Error> {
    let deadline = Instant::now() + limits.cpu_time;
    let runtime = Runtime::new()?;
    runtime.set_max_stack_size(STACK_BYTES);
    runtime.set_memory_limit(limits.memory_bytes);
    runtime.set_interrupt_handler(Some(Box::new(move || Instant::now() > deadline)));
    let context = Context::full(&runtime)?;
    let printed = Rc::new(RefCell::new(Vec::new()));
    let end = context.with(|ctx| {
        let lines = Rc::clone(&printed);
        let text = Function::new(ctx.clone(), move |line: String| lines.borrow_mut().push(line))?;
        ctx.globals().set("text", text)?;
        Ok::<_, Error>(evaluate(&ctx, source))
    })?;
    let end = if Instant::now() > deadline { End::TooLong } else { end };
    Ok(Run { printed: printed.take(), end })
}

fn evaluate(ctx: &Ctx<'_>, source: String) -> End {
    let Ok(module) = Module::declare(ctx.clone(), "cell.js", source) else {
        return match thrown(ctx, &ctx.catch()) {
            error if error.name == "SyntaxError" => End::DidNotCompile(error),
            error => End::Threw(error),
        };
    };
    let Ok((_, promise)) = module.eval() else { return End::Threw(thrown(ctx, &ctx.catch())) };
    // A job that throws is one whose promise nobody holds.
    while ctx.execute_pending_job() {
        drop(ctx.catch());
    }
    settled(ctx, &promise)
}

fn settled<'js>(ctx: &Ctx<'js>, promise: &Promise<'js>) -> End {
    match promise.state() {
        PromiseState::Pending => End::Broke("its module never ends".to_owned()),
        PromiseState::Resolved => End::Completed,
        PromiseState::Rejected => {
            drop(promise.result::<Value<'js>>());
            End::Threw(thrown(ctx, &ctx.catch()))
        }
    }
}

/// Describes a thrown value as the engine's prelude does.
fn thrown<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> Thrown {
    let described = value.as_object().and_then(|error: &Object<'js>| {
        let message: String = error.get("message").ok()?;
        let name = error.get::<_, String>("name").ok();
        Some(Thrown { name: name.unwrap_or_else(|| "Error".to_owned()), message })
    });
    described.unwrap_or_else(|| {
        // What the value's own code throws on the way is not of interest.
        drop(ctx.catch());
        let text = value.as_string().and_then(|text| text.to_string().ok());
        Thrown { name: String::new(), message: text.unwrap_or_else(|| format!("{value:?}")) }
    })
}
