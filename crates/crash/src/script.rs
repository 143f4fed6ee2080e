//! What the sessions of the sweep do: a name, a mode, and cells in groups; those of a group run side by side.

use carrel_contract::SessionMode;

/// One session's work.
pub(crate) struct Script {
    pub(crate) name: &'static str,
    pub(crate) mode: SessionMode,
    /// Whether it is forked on the way: of a call that cannot be asked after nobody knows in the fork, either.
    pub(crate) forks: bool,
    pub(crate) groups: &'static [&'static [&'static str]],
}

impl Script {
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        SCRIPTS.iter().find(|script| script.name == name)
    }

    pub(crate) fn cells(&self) -> usize {
        self.groups.iter().map(|group| group.len()).sum()
    }
}

pub(crate) const SCRIPTS: &[Script] = &[
    Script {
        name: "calls",
        mode: SessionMode::Fresh,
        forks: true,
        groups: &[
            &["text(await tools.get(1)); text(await tools.pay(2)); text(await tools.get(3)); store('a', 1)"],
            &["const all = await Promise.all([tools.get(10), tools.pay(11), tools.get(12), tools.pay(13)]);
               text(all); store('b', all)"],
            &[
                "for (let i = 0; i < 5; i++) text(await tools.pay(20 + i)); store('c', load('a'))",
                "text(await Promise.race([tools.get(30), tools.slow(31)])); notify('raced')",
                "text(await tools.get(40)); await tools.fail(41)",
            ],
            &["text([load('a'), load('b'), load('c')])"],
        ],
    },
    Script {
        name: "reads",
        mode: SessionMode::Fresh,
        forks: false,
        groups: &[&[
            // What only reads does not wait to be written down; what it leads to does.
            "let sum = 0; for (let i = 0; i < 12; i++) sum += await tools.read(i); text(await tools.pay(sum));
               for (let i = 0; i < 12; i++) sum += await tools.read(i); text(sum); store('sum', sum)",
            "text(await Promise.all([tools.read(80), tools.pay(81), tools.read(82), tools.pay(83), tools.read(84)]));
               text(await tools.read(85))",
        ]],
    },
    Script {
        name: "unknown",
        mode: SessionMode::Fresh,
        forks: false,
        groups: &[
            &[
                "for (let i = 0; i < 6; i++) {
                   try { text('done ' + await tools.ship(300 + i)); }
                   catch (e) { if (!(e instanceof OutcomeUnknownError)) throw e; text(`unknown ${e.tool} ${e.callId} ${e.code}`); } }",
                "const all = await Promise.allSettled([tools.ship(310), tools.pay(311), tools.ship(312), tools.read(313)]);
                 for (const { value, reason: e } of all) {
                   if (e && !(e instanceof OutcomeUnknownError)) throw e;
                   text(e ? `unknown ${e.tool} ${e.callId} ${e.code}` : 'done ' + value); }",
            ],
            &["text('done ' + await tools.pay(320))"],
        ],
    },
    Script {
        name: "approval",
        mode: SessionMode::Fresh,
        forks: false,
        groups: &[&[
            "for (let i = 0; i < 4; i++) {
               try { text('done ' + await tools.sell(400 + i)); }
               catch (e) { if (!(e instanceof OutcomeUnknownError)) throw e; text(`unknown ${e.tool} ${e.callId} ${e.code}`); } }",
            "const all = await Promise.allSettled([tools.sell(410), tools.pay(411), tools.sell(412)]);
             for (const { value, reason: e } of all) {
               if (e && !(e instanceof OutcomeUnknownError)) throw e;
               text(e ? `unknown ${e.tool} ${e.callId} ${e.code}` : 'done ' + value); }",
        ]],
    },
    Script {
        name: "timers",
        mode: SessionMode::Fresh,
        forks: false,
        groups: &[
            &[
                "await new Promise((go) => setTimeout(go, 5)); text('five'); store('t', 5)",
                "let n = 0; await new Promise((go) => { const i = setInterval(() => { text(n); if (++n === 4) {
                   clearInterval(i); go(); } }, 2); }); text(await tools.pay(50))",
            ],
            &["const first = await Promise.race([new Promise((go) => setTimeout(go, 60_000, 'late')), tools.get(60)]);
               text(first); yield_control(); text(await tools.pay(61)); exit()"],
            &["text(Math.random() < 2); text(crypto.randomUUID().length); text(load('t'))"],
        ],
    },
    Script {
        name: "asleep",
        mode: SessionMode::Fresh,
        forks: false,
        groups: &[&[
            // What it calls takes a while, in which its session sleeps, and so does the other cell.
            "text(await tools.later(400)); text(await Promise.all([tools.later(401), tools.pay(402), tools.later(403)]));
               await new Promise((go) => setTimeout(go, 5)); text(await tools.pay(404)); store('s', 1)",
            "text(await Promise.race([tools.later(410), new Promise((go) => setTimeout(go, 60_000))]));
               text(await tools.later(411))",
        ]],
    },
    Script {
        name: "notebook",
        mode: SessionMode::Persistent,
        forks: true,
        groups: &[
            &["let total = 0; const add = async (n) => { total += await tools.get(n); return total; }"],
            &["text(await add(100)); text(await add(101)); class Account { constructor(n) { this.n = n; } }"],
            &[
                "const account = new Account(await tools.pay(102)); text(account)",
                "text(await add(account.n)); throw new Error('as it should')",
                "total *= 2; text(total)",
            ],
            &["text([total, account.n, add.name])"],
        ],
    },
    Script {
        name: "work",
        mode: SessionMode::Fresh,
        forks: false,
        groups: &[&[
            // Long enough to be saved on the way.
            "let sum = 0; for (let round = 0; round < 3; round++) { for (let i = 0; i < 1.5e6; i++) sum += i % 7;
               text(await tools.pay(200 + round)); } text(sum)",
            "const rows = Array.from({length: 2e4}, (_, i) => ({ i })); text(await tools.pay(210));
               text(rows.map((r) => r.i).reduce((a, b) => a + b)); text(await tools.get(211)); text(rows.length)",
        ]],
    },
];
