//! What a cell does, made up, and what it may print.

use super::random::Random;

/// A cell: its source, and for each line that it prints what that may be.
pub(super) struct Program {
    pub(super) source: String,
    pub(super) lines: Vec<Vec<String>>,
}

/// What `ship` is called by, which cannot be asked what became of a call.
const SHIP: &str = "(async (n) => { try { return 'shipped ' + await tools.ship(n); } \
    catch (e) { if (!(e instanceof OutcomeUnknownError)) throw e; return 'unknown ' + n; } })";

/// What `pay` is called by, which can be asked; but a fork asks nobody what became of a call of its origin's.
const PAY: &str = "((n) => tools.pay(n).catch((e) => { if (!(e instanceof OutcomeUnknownError)) throw e; return 'elsewhere'; }))";

impl Program {
    /// Makes one up, whose calls have numbers from `from` on.
    pub(super) fn new(random: &mut Random, from: u64) -> Self {
        let mut program = Self { source: String::new(), lines: Vec::new() };
        for step in 0..=random.below(7) {
            let n = from + step * 10;
            program.step(random, n);
        }
        program
    }

    fn line(&mut self, source: &str, may_be: impl IntoIterator<Item = String>) {
        self.source.push_str(source);
        self.lines.push(may_be.into_iter().collect());
    }

    fn step(&mut self, random: &mut Random, n: u64) {
        let double = |n: u64| (n * 2).to_string();
        let shipped = |n: u64| [format!("shipped {}", n * 2), format!("unknown {n}")];
        match random.below(11) {
            0 => self.line(&format!("text(await tools.get({n}));\n"), [double(n)]),
            1 => self.line(&format!("text(await {PAY}({n}));\n"), [double(n), "elsewhere".to_owned()]),
            2 => self.line(&format!("text(await {SHIP}({n}));\n"), shipped(n)),
            3 => {
                let sum: u64 = (0..5).map(|i| (n + i) * 2).sum();
                let source = format!(
                    "{{ let s = 0; for (let i = 0; i < 5; i++) s += await tools.read({n} + i); text(s); }}\n"
                );
                self.line(&source, [sum.to_string()]);
            }
            4 => {
                let source = format!(
                    "text(await Promise.all([tools.get({n}), {PAY}({}), tools.read({})]));\n",
                    n + 1,
                    n + 2
                );
                let with = |paid: &str| format!("[{},{paid},{}]", n * 2, (n + 2) * 2);
                self.line(&source, [with(&double(n + 1)), with("\"elsewhere\"")]);
            }
            5 => {
                let ms = random.below(20_000);
                let source = format!("await new Promise((go) => setTimeout(go, {ms})); text('slept {n}');\n");
                self.line(&source, [format!("slept {n}")]);
            }
            6 => {
                let ms = random.below(200);
                let source = format!(
                    "text(await Promise.race([tools.get({n}), new Promise((go) => setTimeout(go, {ms}, 'late'))]));\n"
                );
                self.line(&source, [double(n), "late".to_owned()]);
            }
            7 => {
                // What is stored is seen by the cell itself at once, and by nobody else.
                let source = format!("store('own {n}', {n}); text(load('own {n}'));\n");
                self.line(&source, [n.to_string()]);
            }
            8 => {
                let source = format!("notify('note {n}'); yield_control(); text('noted {n}');\n");
                self.line(&source, [format!("noted {n}")]);
            }
            9 => {
                let source = format!(
                    "{{ const [a, b] = await Promise.all([{SHIP}({n}), {SHIP}({})]); text(a); text(b); }}\n",
                    n + 1
                );
                self.line(&source, shipped(n));
                self.line("", shipped(n + 1));
            }
            _ => {
                let source =
                    format!("text(typeof Math.random() + (await tools.read({n})) + (Date.now() > 0));\n");
                self.line(&source, [format!("number{}true", n * 2)]);
            }
        }
    }

    /// Says what is wrong with what it printed, if something is; else returns how many calls it found unknown.
    pub(super) fn check(&self, printed: &str, is_fork: bool) -> Result<usize, String> {
        let is_elsewhere = printed.contains("elsewhere");
        let printed: Vec<&str> = printed.lines().collect();
        let fits = printed.len() == self.lines.len()
            && (is_fork || !is_elsewhere)
            && printed.iter().zip(&self.lines).all(|(line, may_be)| may_be.iter().any(|may| may == line));
        if !fits {
            return Err(format!(
                "printed {printed:?}, where it may print {:?}, by\n{}",
                self.lines, self.source
            ));
        }
        Ok(printed.iter().filter(|line| line.starts_with("unknown")).count())
    }
}
